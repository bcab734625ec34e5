"""The hub, played by a small server on this machine, and its cache."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import explorer
from explorer.models import hub
from tests.conftest import Folder, set_hub

COMMIT = "0123456789abcdef0123456789abcdef01234567"
GATED, BROKEN = "owner/gated", "owner/broken"


class FakeHub(ThreadingHTTPServer):
    """Answers as the hub does for ``repos`` (a name and its folder); 404 for any other."""

    daemon_threads = True
    repos: dict[str, Path]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(BaseHTTPRequestHandler):
    server: FakeHub

    def log_message(self, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        parts = urlsplit(self.path).path.strip("/").split("/")
        api = parts[:2] == ["api", "models"]
        repo = "/".join(parts[2:4] if api else parts[:2])
        rest = parts[4:] if api else parts[2:]
        if repo == GATED:
            self._send(403, {"X-Error-Code": "GatedRepo"})
        elif repo == BROKEN:
            self._send(400, {}, b'{"error": "no such luck\\nand more"}')
        elif repo not in self.server.repos:
            self._send(404, {"X-Error-Code": "RepoNotFound"})
        elif rest[:1] == ["revision"] and rest[1] not in ("main", COMMIT):
            self._send(404, {"X-Error-Code": "RevisionNotFound"})
        elif rest[:1] == ["resolve"]:
            self._send_file(self.server.repos[repo] / rest[-1])
        else:
            self._send_listing(repo, tree=rest[:1] == ["tree"])

    def _send_listing(self, repo: str, tree: bool) -> None:
        files = sorted(self.server.repos[repo].iterdir())
        body: object = {"id": repo, "sha": COMMIT, "siblings": [{"rfilename": file.name} for file in files]}
        if tree:
            body = [{"type": "file", "path": f.name, "size": f.stat().st_size, "oid": _etag(f)} for f in files]
        self._send(200, {"Content-Type": "application/json"}, json.dumps(body).encode())

    def _send_file(self, path: Path) -> None:
        self._send(200, {"ETag": f'"{_etag(path)}"', "X-Repo-Commit": COMMIT}, path.read_bytes())

    def _send(self, status: int, headers: dict[str, str], body: bytes = b"{}") -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _etag(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()


@pytest.fixture
def fake_hub(monkeypatch: pytest.MonkeyPatch, no_hub: Path) -> Iterator[FakeHub]:
    """A hub that answers, with nothing on it yet; its cache is ``no_hub``."""
    server = FakeHub(("127.0.0.1", 0), _Answer)
    server.repos = {}
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    set_hub(monkeypatch, server.url, no_hub)
    yield server
    server.shutdown()
    server.server_close()


def _cache(cache: Path, repo: str, folder: Path) -> None:
    """Lay a checkpoint out as huggingface_hub keeps it."""
    home = cache / f"models--{repo.replace('/', '--')}"
    shutil.copytree(folder, home / "snapshots" / COMMIT)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(COMMIT, encoding="utf-8")


def _error(name: str, revision: str | None = None) -> str:
    with pytest.raises(explorer.ModelError) as error:
        explorer.load_model(name, device="cpu", revision=revision)
    message = str(error.value)
    assert "\n" not in message
    return message


class TestReachable:
    """The hub answers."""

    def test_loads_and_tells(self, fake_hub: FakeHub, folder: Folder) -> None:
        fake_hub.repos["owner/tiny"] = folder("bert")
        told: list[tuple[str, float | None]] = []
        loaded = explorer.load_model("owner/tiny", device="cpu", progress=lambda *said: told.append(said))
        assert (loaded.source, loaded.revision, loaded.family) == ("hub", COMMIT, "bert")
        fetching = [share for said, share in told if said == "fetching owner/tiny"]
        assert fetching[-1] == 1.0
        assert told[0] == ("looking for owner/tiny", None)

    def test_old_name(self, fake_hub: FakeHub, folder: Folder) -> None:
        fake_hub.repos["openai-community/gpt2"] = folder("gpt2")
        assert explorer.load_model("gpt2", device="cpu").family == "gpt2"
        assert hub.is_cached("openai-community/gpt2")

    def test_pinned_commit(self, fake_hub: FakeHub, folder: Folder) -> None:
        fake_hub.repos["owner/tiny"] = folder("bert")
        assert explorer.load_model("owner/tiny", revision=COMMIT, device="cpu").revision == COMMIT

    def test_unknown_name(self, fake_hub: FakeHub) -> None:
        assert _error("owner/nowhere") == "the hub has no model 'owner/nowhere', or it is private"

    def test_unknown_revision(self, fake_hub: FakeHub, folder: Folder) -> None:
        fake_hub.repos["owner/tiny"] = folder("bert")
        assert _error("owner/tiny", "v9") == "owner/tiny has no revision 'v9' on the hub"

    def test_gated(self, fake_hub: FakeHub) -> None:
        assert "asks for its terms to be accepted" in _error(GATED)

    def test_any_other_answer(self, fake_hub: FakeHub) -> None:
        assert _error(BROKEN).startswith(f"{BROKEN} could not be fetched from the hub: ")

    def test_pickled_weights_are_not_fetched(
        self, fake_hub: FakeHub, no_hub: Path, folder: Folder, tmp_path: Path
    ) -> None:
        shutil.copytree(folder("bert"), tmp_path / "pickled")
        (tmp_path / "pickled" / "model.safetensors").rename(tmp_path / "pickled" / "pytorch_model.bin")
        fake_hub.repos["owner/pickled"] = tmp_path / "pickled"
        assert "only pickled weights (pytorch_model.bin)" in _error("owner/pickled")
        assert not list(no_hub.rglob("*.bin"))


class TestUnreachable:
    """The hub refuses every connection."""

    def test_not_cached(self) -> None:
        message = _error("google-bert/bert-base-uncased")
        assert "the model hub cannot be reached" in message
        assert "minilm and smollm2 work without it" in message
        assert not hub.is_cached("google-bert/bert-base-uncased")

    @pytest.mark.parametrize("cached_as", ["openai-community/gpt2", "gpt2"])
    @pytest.mark.parametrize("asked_for", ["openai-community/gpt2", "gpt2"])
    def test_cached_preset(self, asked_for: str, cached_as: str, no_hub: Path, folder: Folder) -> None:
        assert not hub.is_cached("openai-community/gpt2")
        _cache(no_hub, cached_as, folder("gpt2"))
        assert hub.is_cached("openai-community/gpt2")
        loaded = explorer.load_model(asked_for, device="cpu")
        assert (loaded.family, loaded.revision) == ("gpt2", COMMIT)

    def test_cached_config_alone_is_not_cached(self, no_hub: Path, folder: Folder) -> None:
        _cache(no_hub, "openai-community/gpt2", folder("gpt2"))
        next(no_hub.rglob("model.safetensors")).unlink()
        assert not hub.is_cached("openai-community/gpt2")
        assert "has no weights" in _error("gpt2")

    @pytest.mark.parametrize("name", ["what is this?", "a/b/c", "owner/", "-", "häh"])
    def test_no_name_at_all(self, name: str) -> None:
        assert f"'{name}' is no model: give a hub id such as gpt2" in _error(name)


def test_presets_are_what_the_picker_may_offer() -> None:
    assert len({preset.repo for preset in hub.PRESETS}) == len(hub.PRESETS)
    assert all(preset.repo.count("/") == 1 for preset in hub.PRESETS)


def test_gguf_name() -> None:
    assert hub.split_gguf("owner/repo/m.gguf") == ("owner/repo", "m.gguf")
    assert hub.split_gguf("owner/repo") == ("owner/repo", None)
    assert hub.split_gguf("owner/repo.gguf") == ("owner/repo.gguf", None)
