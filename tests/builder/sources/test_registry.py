from __future__ import annotations

from collections import Counter

import pytest

from mathv360k.builder import sources
from mathv360k.builder.sources import SOURCES, missing_files
from mathv360k.errors import UsageError
from source_reading import write


class TestRegistry:
    def test_names_stand_in_the_order_of_the_tasks(self):
        assert list(SOURCES) == [
            *["ChartQA", "DVQA", "DocVQA", "FigureQA", "MapQA", "PlotQA"],
            *["GEOS", "GeoQA+", "Geometry3K", "UniGeo"],
            *["CLEVR-Math", "IconQA", "TabMWP"],
            *["AI2D", "ScienceQA", "TQA"],
            *["A-OKVQA", "PMC-VQA", "Super-CLEVR", "TextVQA"],
            *["VQA-AS", "VQA-RAD", "VQA2.0", "VizWiz"],
        ]

    def test_tasks(self):
        tasks = Counter(str(source.task) for source in SOURCES.values())
        assert tasks == {"FQA": 6, "GPS": 4, "MWP": 3, "TQA": 3, "VQA": 8}

    def test_which_images_may_be_published_again(self):
        def with_rehost(value: str) -> set[str]:
            return {name for name, source in SOURCES.items() if source.rehost == value}

        assert with_rehost("no") == {"DocVQA", "FigureQA", "GEOS", "GeoQA+", "UniGeo"}
        assert with_rehost("unclear") == {
            *["ChartQA", "Geometry3K", "AI2D", "A-OKVQA", "PMC-VQA", "VQA-AS", "VQA2.0", "VizWiz"]
        }
        assert len(with_rehost("yes")) == 11

    @pytest.mark.parametrize("name", SOURCES)
    def test_declarations_are_complete(self, name):
        source = SOURCES[name]
        assert source.name == name
        assert source.license
        assert source.terms.endswith(".")
        assert source.license in source.attribution
        assert source.homepage in source.attribution
        assert source.files
        assert source.homepage.startswith("https://")
        assert source.obtain.endswith(".")
        assert any(year in source.citation for year in map(str, range(2015, 2025)))
        assert not any(pattern.startswith(("/", "..")) for pattern in source.files)

    def test_contexts_are_words_of_mathvista(self):
        contexts = {source.context for source in SOURCES.values()}
        assert contexts == {
            *[None, "bar chart", "document image", "map chart", "geometry diagram", "table"],
            *["natural image", "abstract scene", "synthetic scene", "medical image"],
            "scientific figure",
        }

    def test_all_24_can_be_read(self):
        assert len(SOURCES) == 24
        assert all(source.read for source in SOURCES.values())

    def test_seven_can_be_read_from_the_hub(self):
        assert {name for name, source in SOURCES.items() if source.mirrors} == {
            *["ChartQA", "DocVQA", "GeoQA+", "Geometry3K", "ScienceQA", "A-OKVQA", "VQA-RAD"]
        }

    def test_a_source_is_found_by_its_name(self):
        assert sources.source("GeoQA+") is SOURCES["GeoQA+"]

    @pytest.mark.parametrize(
        ("wrong", "right"),
        [("tabmwp", "TabMWP"), ("VQA2", "VQA2.0"), ("GeoQA", "GeoQA+"), ("Geometry", "Geometry3K")],
    )
    def test_a_wrong_name_is_answered_with_the_nearest(self, wrong, right):
        with pytest.raises(UsageError, match=rf"no source '{wrong}'; did you mean "):
            sources.source(wrong)
        with pytest.raises(UsageError) as caught:
            sources.source(wrong)
        assert str(caught.value).endswith(f"did you mean {right}?")

    def test_a_name_like_no_other_is_answered_with_all(self):
        with pytest.raises(UsageError, match=r"there are ChartQA, DVQA, .*VizWiz"):
            sources.source("0123456789")

    def test_missing_files_are_the_patterns_without_a_match(self, tmp_path):
        source = SOURCES["TabMWP"]
        assert missing_files(source, tmp_path) == ["problems_train.json", "tables/*.png"]
        write(tmp_path / "TabMWP" / "tables" / "1.png", "")
        assert missing_files(source, tmp_path) == ["problems_train.json"]
        write(tmp_path / "TabMWP" / "problems_train.json", "")
        assert missing_files(source, tmp_path) == []

    @pytest.mark.parametrize("name", ["ChartQA", "GEOS", "Geometry3K", "VQA-RAD", "VQA2.0"])
    def test_samples_in_native_layout_have_all_files(self, shared_sources, name):
        assert missing_files(SOURCES[name], shared_sources) == []
