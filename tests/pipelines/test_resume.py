from pipelines.resume import scratch


def test_only_what_changes_the_result_starts_anew(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "input").write_text("1")

    def folder(**change):
        settings = {"seed": 0, "training": {"rate": 0.1, "log_every": 5, "checkpoint_every": 5} | change}
        return scratch("run", settings, [tmp_path / "input"]).folder

    first = folder()
    assert folder() == first
    assert folder(log_every=1, checkpoint_every=1) == first
    assert folder(rate=0.2) != first
    monkeypatch.setattr("pipelines.resume.digest", lambda path, pattern="*": "other code, other input")
    assert folder() != first
