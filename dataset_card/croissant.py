"""The dataset's metadata as Croissant 1.0 (docs.mlcommons.org/croissant/docs/croissant-spec)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa

from ..builder.manifest import data_files
from ..builder.parquet import config_and_split
from ..builder.schema import ALL_CONFIGS, IMAGE
from .citation import BIBTEX, PAPER
from .columns import COLUMNS

Node = dict[str, Any]

_PARQUET = "application/x-parquet"
_CONTEXT: Node = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{
        name: f"cr:{name}"
        for name in (
            "citeAs", "column", "equivalentProperty", "extract", "field", "fileObject",
            "fileProperty", "fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key",
            "md5", "parentField", "path", "recordSet", "references", "regex", "repeated",
            "replace", "samplingRate", "separator", "source", "subField", "transform",
        )
    },
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
}  # fmt: skip
"""The context that the specification prescribes word for word."""

_SAYS = {
    "default": "A row per question, with its image.",
    "images": "A row per image, with all its questions.",
    "questions": "A row per question, without its image.",
    "rejected": "What a teacher wrote and was not kept, and why.",
}


def croissant(manifest: dict[str, Any]) -> str:
    """The JSON of croissant.json; `mlcroissant` loads the records of each config from the folder.

    Each file is there with its sha256, each config as a set of files and a set of records. No date
    is: the same data have the same file.
    """
    names = data_files(manifest)
    configs = {config_and_split(name)[0] for name in names}
    there = [name for name in ALL_CONFIGS if name in configs]
    licenses = {source["license"] for source in manifest["sources"].values()}
    node = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": f"mathv360k-{manifest['name']}",
        "description": "Images with questions that teach a multimodal model mathematics, after "
        f"Math-LLaVA ({PAPER}). Content digest sha256:{manifest['digest']}.",
        "version": manifest["version"],
        "license": sorted(licenses - {""}) or ["LICENSES.md"],
        "citeAs": BIBTEX,
        "url": PAPER,
        "keywords": ["mathematics", "multimodal", "visual question answering"],
        "distribution": [
            *(_file(name, manifest["files"][name]) for name in names),
            *map(_files, there),
        ],
        "recordSet": [_splits(manifest["splits"]), *map(_records, there)],
    }
    return json.dumps(node, indent=1, ensure_ascii=False) + "\n"


def _file(name: str, said: dict[str, Any]) -> Node:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": PurePosixPath(name).name,
        "contentUrl": name,
        "contentSize": f"{said['bytes']} B",
        "encodingFormat": _PARQUET,
        "sha256": said["sha256"],
    }


def _files(config: str) -> Node:
    return {
        "@type": "cr:FileSet",
        "@id": f"{config}-files",
        "name": f"{config}-files",
        "encodingFormat": _PARQUET,
        "includes": f"data/{config}/*.parquet",
    }


def _splits(names: Iterable[str]) -> Node:
    """The splits as records of their own, so that readers know that the column is one."""
    name = {
        "@type": "cr:Field",
        "@id": "splits/name",
        "name": "name",
        "dataType": "sc:Text",
    }
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "description": "The splits of the dataset.",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [name],
        "data": [{"splits/name": name} for name in names],
    }


def _records(config: str) -> Node:
    columns = ALL_CONFIGS[config]
    return {
        "@type": "cr:RecordSet",
        "@id": config,
        "name": config,
        "description": _SAYS[config],
        **({} if config == "rejected" else {"key": {"@id": f"{config}/{columns.names[0]}"}}),
        "field": [_split(config), *_fields(config, columns)],
    }


def _split(config: str) -> Node:
    return {
        "@type": "cr:Field",
        "@id": f"{config}/split",
        "name": "split",
        "description": "The split that the row is in.",
        "dataType": "sc:Text",
        "source": {
            "fileSet": {"@id": f"{config}-files"},
            "extract": {"fileProperty": "fullpath"},
            # `mlcroissant` applies it to its own result once more, where fields are joined
            "transform": {"regex": rf"(?:data/{config}/)?([\w.]+)(?:-\d+-of-\d+\.parquet)?$"},
        },
        "references": {"field": {"@id": "splits/name"}},
    }


def _fields(config: str, columns: pa.Schema) -> Iterator[Node]:
    for column in columns:
        source = {"fileSet": {"@id": f"{config}-files"}, "extract": {"column": column.name}}
        yield _field(f"{config}/{column.name}", column, source)


def _field(name: str, column: pa.Field, source: Node) -> Node:
    kind = column.type
    node = {
        "@type": "cr:Field",
        "@id": name,
        "name": column.name,
        "description": COLUMNS[column.name],
    }
    if kind.equals(IMAGE):
        shown = {**source, "transform": {"jsonPath": "bytes"}}
        return {**node, "dataType": "sc:ImageObject", "source": shown}
    if pa.types.is_list(kind) and pa.types.is_struct(kind.value_type):
        below = [
            _field(f"{name}/{f.name}", f, {**source, "transform": {"jsonPath": f.name}})
            for f in kind.value_type
        ]
        return {**node, "repeated": True, "subField": below}
    if pa.types.is_list(kind):
        return {**node, "dataType": _type(kind.value_type), "repeated": True, "source": source}
    return {**node, "dataType": _type(kind), "source": source}


def _type(kind: pa.DataType) -> str:
    if pa.types.is_floating(kind):
        return "sc:Float"
    return "sc:Integer" if pa.types.is_integer(kind) else "sc:Text"
