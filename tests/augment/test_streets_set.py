"""The rendered data set as a whole: its plan, its files, the one in the repository, and its use as an augmentation."""

import io
import json
import shutil
import zipfile

import numpy as np
import pandas as pd
import pytest
from conftest import STREETS
from PIL import Image

from augment.plans import rendering
from augment.streets import studio
from augment.streets.camera import HEIGHT, WIDTH
from augment.streets.collection import plan, training_views
from augment.streets.studio import render, take
from augment.streets.world import World
from reid.common.errors import InputError
from reid.datasets import DATASETS
from reid.files import samples
from reid.files.images import Archive, background_name, decode

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    out = tmp_path_factory.mktemp("rendered") / "set"
    render(2, 7, out, processes=1)
    return out


def files(folder):
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("identities", [2, 15, 300])
def test_the_plan_is_a_sound_data_set(identities):
    people = plan(identities, 0)
    views = [view for one in people.values() for view in one]
    assert len({view.file for view in views}) == len(views)
    split = {name: [v for v in views if v.file.startswith(name)] for name in ("bounding_box_train", "query")}
    training, tested = ({view.person for view in part} for part in split.values())
    assert training == set(range(1, (identities + 1) // 2 + 1))
    assert tested == set(range((identities + 1) // 2 + 1, identities + 1))
    gallery = {(v.person, v.camera) for v in views if v.file.startswith("bounding_box_test/") and not v.bad_box}
    for query in split["query"]:
        assert any(person == query.person and camera != query.camera for person, camera in gallery)
    for person in training:
        assert len({view.camera for view in people[person]}) >= 3
    assert plan(identities, 0) == people
    assert plan(identities, 1) != people


@pytest.mark.parametrize("identities", [1, 8001])
def test_impossible_sizes_are_refused(identities, tmp_path):
    with pytest.raises(InputError, match=f"expected 2 to 8000 identities, got {identities}"):
        render(identities, 0, tmp_path / "set", 1)


def test_what_is_written_is_a_market_1501_folder_with_its_truth(rendered):
    data = DATASETS["streets"](rendered)
    assert data.findings == []
    truth = json.loads((rendered / "truth.json").read_text())
    assert (truth["seed"], truth["identities"]) == (7, 2)
    images = [image for table in data.tables.values() for image in table["image"]]
    assert sorted(record["image"] for record in truth["images"]) == sorted(images)
    assert (data.tables["gallery"]["identity"] == samples.DISTRACTOR).any()
    for record in truth["images"]:
        stem = record["image"].split("/")[1].removesuffix(".jpg")
        image = decode((rendered / record["image"]).read_bytes(), stem)
        background = decode((rendered / f"backgrounds/{stem}.jpg").read_bytes(), stem)
        with Image.open(rendered / f"masks/{stem}.png") as file:
            mask = np.asarray(file)
        assert image.shape == background.shape == (HEIGHT, WIDTH, 3)
        assert mask.shape == (HEIGHT, WIDTH)
        joints, visible = np.array(record["joints"]), np.array(record["visible"], bool)
        assert joints.shape == (18, 2)
        if record["box"] is not None:
            left, top, right, bottom = record["box"]
            assert mask[top:bottom, left:right].sum() == mask.sum() > 0
            assert mask[:, left].any()
            assert mask[:, right - 1].any()
            assert mask[top].any()
            assert mask[bottom - 1].any()
        assert (joints[visible] > -0.5).all()
        assert (joints[visible] < (WIDTH - 0.5, HEIGHT - 0.5)).all()
    differs = [np.abs(image.astype(int) - background).mean() for image, background in _pairs(rendered, truth)]
    assert min(differs) > 2, "the person is missing"


def _pairs(folder, truth):
    for record in truth["images"]:
        stem = record["image"].split("/")[1].removesuffix(".jpg")
        yield tuple(decode((folder / name).read_bytes(), name) for name in (record["image"], f"backgrounds/{stem}.jpg"))


def test_visible_joints_lie_on_the_mask(rendered):
    near, total = 0, 0
    for record in json.loads((rendered / "truth.json").read_text())["images"]:
        with Image.open(rendered / f"masks/{record['image'].split('/')[1].removesuffix('.jpg')}.png") as file:
            mask = np.pad(np.asarray(file), 2)
        for (x, y), visible in zip(record["joints"], record["visible"], strict=True):
            if visible:
                row, column = round(y) + 2, round(x) + 2
                near += mask[row - 2 : row + 3, column - 2 : column + 3].any()
                total += 1
    assert total > 100
    assert near / total > 0.97


def test_bytes_do_not_depend_on_the_processes_or_on_interruptions(rendered, tmp_path, monkeypatch):
    out, parts = tmp_path / "again.zip", tmp_path / "again.zip.parts"
    taken = []

    def interrupted(world, views, extras):
        taken.append(views[0].person)
        if len(taken) == 2:
            raise KeyboardInterrupt
        yield from take(world, views, extras)

    monkeypatch.setattr(studio, "_run", lambda jobs, processes: (studio._job(*job) for job in jobs))
    monkeypatch.setattr(studio, "take", interrupted)
    with pytest.raises(KeyboardInterrupt):
        render(2, 7, out, processes=1)
    assert not out.exists()
    assert [file.name for file in parts.glob("*.zip")] == ["1.zip"]
    monkeypatch.undo()
    run, rendered_later = studio._run, []

    def recorded(jobs, processes):
        rendered_later.extend(views[0].person for _, views, _, _ in jobs)
        return run(jobs, processes)

    monkeypatch.setattr(studio, "_run", recorded)
    render(2, 7, out, processes=2)
    assert rendered_later == [2, 3], "person 1 is there already"
    assert not parts.exists()
    with zipfile.ZipFile(out) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files(rendered), "a zip holds the same"


def test_nothing_is_overwritten(rendered, tmp_path):
    before = files(rendered)
    with pytest.raises(InputError, match="exists; remove it"):
        render(2, 7, rendered, 1)
    assert files(rendered) == before
    (tmp_path / "set.parts").mkdir()
    settings = {"identities": 2, "seed": 6, "backgrounds": True, "code": "of then"}
    (tmp_path / "set.parts/settings.json").write_text(json.dumps(settings))
    with pytest.raises(InputError, match="unfinished set with seed 6 and not 7; go on with that one, or remove it"):
        render(2, 7, tmp_path / "set", 1)
    (tmp_path / "set.parts/settings.json").write_text(json.dumps({**settings, "seed": 7}))
    with pytest.raises(InputError, match="unfinished set of another version of the renderer"):
        render(2, 7, tmp_path / "set", 1)


def test_the_committed_set_is_what_the_code_renders():
    """Equal pixels but for rounding: another processor's sines may move a pixel by a grey level."""
    with zipfile.ZipFile(STREETS) as archive:
        truth = json.loads(archive.read("truth.json"))
        world, people = World(truth["seed"]), plan(truth["identities"], truth["seed"])
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        files = [view.file for views in people.values() for view in views]
        assert names == sorted([*files, *map(background_name, files)])
        records = {record["image"]: record for record in truth["images"]}
        for number in (3, 150, 210):
            for name, data in take(world, people[number][-4:], ("masks", "backgrounds", "truth")):
                if name == "truth.json":
                    for record in json.loads(data):
                        assert np.allclose(record["joints"], records[record["image"]]["joints"], atol=0.02)
                        assert record["activity"] == records[record["image"]]["activity"]
                    continue
                new, old = (np.asarray(Image.open(io.BytesIO(part)), dtype=int) for part in (data, archive.read(name)))
                assert (np.abs(new - old) > 8 * (new.ndim - 2)).mean() < 0.002, name


def test_other_views_are_of_the_same_people_and_cameras(rendered, tmp_path):
    real = DATASETS["streets"](rendered).tables["train"]
    seed = rendering.seed_of(real)
    assert seed == 7
    rows = rendering.views(real, 3, seed, "views-a3", "new.zip")
    assert len(rows) == 2 * len(real)
    samples.check(pd.concat([real, rows], ignore_index=True))
    fewer = rendering.views(real, 2, seed, "views-a2", "new.zip")
    assert list(rows["image"][: len(real)]) == list(fewer["image"])
    archive = tmp_path / "new.zip"
    rendering.render(rows[:2], seed, archive, tmp_path / "parts", 1)
    with Archive(archive) as new, Archive(rendered) as old:
        assert new.names() == sorted(rows["image"][:2])
        for image, source in zip(rows["image"][:2], rows["source"][:2], strict=True):
            assert np.abs(new.image(image).astype(int) - old.image(source)).mean() > 5, "the same moment again"


def test_new_people_have_identities_of_their_own(rendered):
    real = DATASETS["streets"](rendered).tables["train"]
    rows = rendering.identities(real, 3, 7, "identities-a3", "new.zip")
    assert len(rows) == 2 * len(real)
    table = samples.check(pd.concat([real, rows], ignore_index=True))
    assert not set(rows["identity"]) & set(real["identity"])
    assert not set(rows["identity"][rows["draw"] == 1]) & set(rows["identity"][rows["draw"] == 2])
    assert samples.class_labels(table["identity"].to_numpy())[1] > real["identity"].nunique()


def test_new_people_are_rendered_as_they_are_planned(rendered, tmp_path):
    real = DATASETS["streets"](rendered).tables["train"]
    rows = rendering.identities(real, 2, 7, "identities-a2", "new.zip")[:2]
    rendering.render(rows, 7, tmp_path / "new.zip", tmp_path / "parts", 1)
    world = World(7)
    with Archive(tmp_path / "new.zip") as archive:
        assert archive.names() == sorted(rows["image"])
        for row in rows.itertuples():
            view = next(view for view in training_views(row.identity, 7) if view.file == row.image)
            assert archive.read(row.image) == world.shoot(view.person, view.camera, view.moment).image


def test_other_sets_have_no_seed_and_other_renderers_are_found_out(rendered, tmp_path):
    with zipfile.ZipFile(tmp_path / "real.zip", "w") as archive:
        archive.writestr("bounding_box_train/0001_c1s1_000001_01.jpg", b"")
    table = samples.real_table(["bounding_box_train/0001_c1s1_000001_01.jpg"], str(tmp_path / "real.zip"), [1], [1])
    assert rendering.seed_of(table) is None
    shutil.copytree(rendered, tmp_path / "other")
    real = DATASETS["streets"](tmp_path / "other").tables["train"]
    first, another = (tmp_path / "other" / real["image"].iloc[row] for row in (0, -1))
    shutil.copyfile(another, first)
    with pytest.raises(InputError, match="does not look as this version of the renderer draws it"):
        rendering.seed_of(real)


def test_new_people_can_be_read_again(rendered, tmp_path):
    real = DATASETS["streets"](rendered).tables["train"]
    rows = rendering.identities(real, 2, 7, "identities-a2", "new.zip")
    shutil.copytree(rendered, tmp_path / "set")
    for image in rows["image"]:
        shutil.copyfile(rendered / real["image"].iloc[0], tmp_path / "set" / image)
    again = DATASETS["streets"](tmp_path / "set")
    assert again.findings == []
    assert len(again.tables["train"]) == 2 * len(real)
    assert set(rows["identity"]) < set(again.tables["train"]["identity"])
