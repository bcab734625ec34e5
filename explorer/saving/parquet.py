"""The table of heads as Parquet."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from explorer.saving.formats import to_json


def heads_parquet(result: Mapping[str, Any]) -> bytes:
    """A row a head of the JSON of the view ``heads``, null where a measure is undefined.

    All that is beside the rows is JSON under the key ``explorer`` of the schema's metadata.
    """
    import pyarrow as pa  # large, and only needed here
    from pyarrow import parquet

    rows = result["heads"]
    beside = {name: value for name, value in result.items() if name != "heads"}
    types = {name: pa.float64() for name in rows[0]} | {"layer": pa.int64(), "head": pa.int64()}
    schema = pa.schema(types, metadata={"explorer": to_json(beside)})
    file = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows, schema=schema), file)
    return file.getvalue()
