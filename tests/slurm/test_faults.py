"""Struck in every way that a cluster knows, a study ends with the tensors of an undisturbed one."""

import signal
import time

import psutil
from cluster_study import ClusterStudy, job_number, log_of, node

SAVED = "interrupted by SIGTERM"


def log_of_trainings(study: ClusterStudy) -> str:
    """What the workers said."""
    return "".join(log.read_text() for log in study.folder.glob("logs/*/student/*.log"))


def test_jobs_end_in_every_way(study, undisturbed):
    cluster = study.cluster
    study.start("--set-resources", "train_students:slurm_extra='--nice=0'")  # no notice of the limit

    # The shortest limit is a minute. Suspended, the worker can't end before.
    hanging = study.strike()
    hanging.suspend()
    limited, its_node = job_number(hanging), node(hanging)
    cluster.run("scontrol", "update", f"JobId={limited}", "TimeLimit=1")

    requeued = job_number(study.strike())
    cluster.run("scontrol", "requeue", requeued)
    cluster.hasten(requeued)

    cluster.run("scancel", job_number(study.strike()))
    study.strike().kill()
    study.strike().parent().kill()  # the snakemake that started it
    number = job_number(study.strike())
    next(p for p in cluster.processes() if p.name() == "slurm_script" and job_number(p) == number).kill()

    while node(preempted := study.strike()) == its_node:
        pass
    number, its_log = job_number(preempted), log_of(preempted)
    cluster.preempt(node(preempted))
    psutil.wait_procs([preempted])
    assert SAVED in its_log.read_text()  # without a second of grace

    study.finish()
    assert limited in cluster.jobs("TIMEOUT")
    assert number in cluster.jobs("PREEMPTED")
    assert study.tensors() == undisturbed.tensors()


def test_notice_of_the_time_limit_and_an_absent_controller(study, undisturbed):
    cluster = study.cluster
    study.start()
    noticed = study.strike()
    (study.folder / "params.yaml").write_text("edited: [meanwhile")  # jobs go by what the main process read
    number, its_log = job_number(noticed), log_of(noticed)
    noticed.suspend()  # lest it ends before SLURM, which looks at limits twice a minute, wakes it to tell
    cluster.run("scontrol", "update", f"JobId={number}", "TimeLimit=1")
    psutil.wait_procs([noticed])
    assert SAVED in its_log.read_text()
    study.strike()
    cluster.pause_controller()
    time.sleep(20)
    cluster.resume_controller()
    cluster.stop_controller()
    cluster.start_controller()
    study.finish()
    assert number in cluster.jobs("FAILED")  # it ended before its limit
    assert study.tensors() == undisturbed.tensors()


def test_nodes_are_lost_with_their_processes_and_without(study, undisturbed):
    cluster = study.cluster
    study.start()
    lost = study.strike()
    number, lost_node = job_number(lost), node(lost)
    cluster.lose_node(lost_node)
    cluster.hasten(number)
    cluster.start_node(lost_node)

    # Cut from the network, a node goes on with its jobs, beside their successors.
    orphan = study.strike()
    orphan.suspend()
    cluster.lose_node(node(orphan), with_processes=False)
    cluster.hasten(job_number(orphan))
    while "another process works on this job" not in log_of_trainings(study):
        cluster.refuse_if_broken()
        time.sleep(0.2)
    orphan.resume()

    study.finish()
    assert "already there" in log_of_trainings(study)
    assert study.tensors() == undisturbed.tensors()


def test_the_main_process_is_interrupted_and_killed_and_loses_sight_of_jobs(study, undisturbed):
    for ending in (signal.SIGINT, signal.SIGTERM):
        study.start()
        number = job_number(study.strike())
        study.main.send_signal(ending)
        assert study.wait() != 0
        while study.cluster.jobs("PENDING", "RUNNING", "COMPLETING"):
            time.sleep(0.2)
        assert number in study.cluster.jobs("CANCELLED")
        assert SAVED in log_of_trainings(study)

    study.start()
    study.strike()
    study.kill()
    study.resume("--cancel")
    study.strike()
    assert "cancelling" in study.said
    study.kill()
    study.resume("--wait", "--slurm-status-attempts", "1", MIMIC_STALL_MINUTES="0.2")
    study.wait_for_snakemake()
    assert "waiting for" in study.said
    while not study.cluster.jobs("RUNNING"):
        time.sleep(0.2)
    study.cluster.pause_controller()
    time.sleep(40)  # in which the plugin asks once, in vain, and forgets what runs
    study.cluster.resume_controller()
    assert study.wait() != 0
    assert "to go on where it ended: make resume" in study.said
    study.resume("--wait")
    study.finish()
    assert study.tensors() == undisturbed.tensors()
