"""A study through SLURM as the documents say."""


def test_every_training_is_a_job_of_slurm_and_nothing_light_is(undisturbed):
    jobs = undisturbed.jobs
    rules = {line.partition("rule_")[2].partition("_wildcards_")[0] for line in jobs}
    assert rules == {"data", "teacher", "logits", "train_students", "evaluation"}
    assert {line.split()[0] for line in jobs} == {"COMPLETED"}
    assert (undisturbed.folder / "report.html").exists()


def test_a_second_call_has_nothing_to_do(undisturbed):
    undisturbed.start()
    undisturbed.finish()
    assert "Nothing to be done" in undisturbed.said
