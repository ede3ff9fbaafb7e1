"""A real SLURM in one folder: nodes with fake GPUs, all on this machine, no systemd, no cgroups.

Every daemon is a process of the caller, listens on the loopback alone and keeps its files below the
folder. `sbatch` and its like find it through the environment variables in `Cluster.environment`.
"""

import getpass
import os
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import accounting
import psutil
import pytest
from accounting import ACCOUNT, NO_ACCOUNTING, Accounting

from tests.ports import free_ports

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", *accounting.PROGRAMS)
SRUN = """#!/bin/sh
# Snakemake's job step plugin takes SLURM_CONF away; on a real cluster the file is in its usual place.
export SLURM_CONF={conf}
exec /usr/bin/srun "$@"
"""
CONF = """\
ClusterName={name}
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
MpiDefault=none
SwitchType=switch/none
# No cgroups: a container has none to give.
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
# Nodes as described below, whatever slurmd finds.
SlurmdParameters=config_overrides
ReturnToService=2
# For tests: seconds until a signalled job is killed, until a silent node is given up, and jobs are forgotten.
KillWait=10
SlurmdTimeout=10
MinJobAge=3600
GresTypes=gpu,shard
PartitionName=gpu Nodes=ALL Default=YES DefaultTime=60 PriorityTier=1
PartitionName=urgent Nodes=ALL DefaultTime=60 PriorityTier=2 PreemptMode=OFF
"""
DEVICES = ("/dev/null", "/dev/zero")  # of the fake GPUs: without a device each, SLURM gives the node up
AT_WORK = ("idle", "mixed", "allocated", "completing")  # states of a node that answers
SHARDS = 4  # shares of them that a node offers
NODE = """\
NodeName={node} NodeHostname=localhost NodeAddr=127.0.0.1 Port={port} State=UNKNOWN \\
    Gres=gpu:{gpus},shard:{shards} RealMemory=64000 \\
    CPUs=8 Boards=1 SocketsPerBoard=1 CoresPerSocket=8 ThreadsPerCore=1
"""


class Cluster:
    """The daemons of one cluster; as a context it starts them and stops them."""

    def __init__(self, folder: Path, nodes: int = 2, with_accounting: bool = False) -> None:
        self.folder = folder
        self.accounting = Accounting(folder, *free_ports(2)) if with_accounting else None
        self.nodes = [f"n{index}" for index in range(1, nodes + 1)]
        self._daemons: dict[str, subprocess.Popen] = {}
        self._over = threading.Event()
        self.environment = {
            "SLURM_CONF": str(folder / "slurm.conf"),
            "PATH": os.pathsep.join([str(folder / "bin"), os.environ["PATH"], "/usr/sbin"]),
        }

    def __enter__(self) -> "Cluster":
        self._configure()
        key, socket_path = self.folder / "munge.key", self.folder / "munge.socket"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(128))
        names = {"key-file": key, "socket": socket_path}
        names |= {f"{name}-file": self.folder / f"munge.{name}" for name in ("pid", "log", "seed")}
        try:
            self._start("munged", "--foreground", "--force", *(f"--{n}={path}" for n, path in names.items()))
            self._wait_for("munge", "--no-input", f"--socket={socket_path}")
            if self.accounting:
                self._start_accounting()
            self.start_controller()
            for node in self.nodes:
                self.start_node(node)
            threading.Thread(target=self._supervise, daemon=True).start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.resume_controller()
        for node in self.nodes:
            self.lose_node(node)
        for daemon in self._daemons.values():
            daemon.kill()
            daemon.wait()

    def _configure(self) -> None:
        self.folder.mkdir()
        controller_port, *node_ports = free_ports(1 + len(self.nodes))
        conf = CONF.format(
            name=self.folder.name.lower(), port=controller_port, user=getpass.getuser(), folder=self.folder
        )
        for node, port in zip(self.nodes, node_ports, strict=True):
            conf += NODE.format(node=node, port=port, gpus=len(DEVICES), shards=SHARDS)
            (self.folder / node).mkdir()
        conf += self.accounting.configure() if self.accounting else NO_ACCOUNTING
        (self.folder / "state").mkdir()
        (self.folder / "slurm.conf").write_text(conf)
        (self.folder / "gres.conf").write_text(
            f"Name=gpu File={','.join(DEVICES)}\nName=shard Count={SHARDS}\n"
        )
        # SLURM 22.05 reads this where nothing uses it too, and by itself looks for version 2.
        (self.folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
        (self.folder / "bin").mkdir()
        srun = self.folder / "bin/srun"
        srun.write_text(SRUN.format(conf=self.folder / "slurm.conf"))
        srun.chmod(0o755)

    def _start_accounting(self) -> None:
        """Start the database and slurmdbd, and enter the caller with an account."""
        self._start(*self.accounting.database)
        self._wait_for(*self.accounting.ping)
        self._start("slurmdbd", "-D")
        self._wait_for("sacctmgr", "--noheader", "show", "cluster")
        change, user = ("sacctmgr", "--immediate"), getpass.getuser()
        self.run(*change, "add", "cluster", self.folder.name.lower())
        self.run(*change, "add", "account", ACCOUNT, "Description=test", "Organization=test")
        self.run(*change, "add", "user", user, f"Account={ACCOUNT}")
        self.run(*change, "modify", "user", user, "set", f"DefaultAccount={ACCOUNT}")  # root has another

    def _start(self, name: str, *arguments: str, key: str | None = None) -> None:
        environment = os.environ | self.environment
        with open(self.folder / f"{key or name}.out", "ab") as out:
            self._daemons[key or name] = subprocess.Popen(
                [name, *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=environment, start_new_session=True,
            )  # fmt: skip

    def _wait_for(self, *command: str, answer: str = "", seconds: float = 30) -> None:
        """Wait until a command succeeds with `answer` in its output. Raises TimeoutError with the logs."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            done = self.run(*command, check=False)
            if done.returncode == 0 and answer in done.stdout:
                return
            time.sleep(0.1)
        logs = [f"{path.name}: {path.read_text()[-1000:]}" for path in sorted(self.folder.glob("*.log"))]
        raise TimeoutError("\n".join([f"{' '.join(command)}: no {answer or 'success'}", *logs]))

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess:
        """Run a program of SLURM."""
        return subprocess.run(
            command, env=os.environ | self.environment, capture_output=True, text=True, check=check
        )

    def start_controller(self) -> None:
        """Start slurmctld; its state outlives it."""
        self._start("slurmctld", "-D")
        self._wait_for("scontrol", "ping", answer="is UP")

    def _supervise(self) -> None:
        """Do what a service manager and an administrator do: 22.05 needs both now and then.

        slurmctld is started again when it crashed; a job that it launched on a node that was coming back,
        and held since that failed, is released.
        """
        while not self._over.wait(1):
            if self._daemons["slurmctld"].poll() in (-signal.SIGSEGV, -signal.SIGABRT):
                self._start("slurmctld", "-D")
            waiting = self.run("squeue", "--noheader", "--states=PENDING", "--format=%i|%r", check=False)
            for line in waiting.stdout.splitlines():
                job, _, reason = line.partition("|")
                if "launch failed requeued held" in reason.replace("_", " "):
                    self.run("scontrol", "release", job, check=False)

    def stop_controller(self) -> None:
        """End slurmctld as its host's shutdown would."""
        self._daemons["slurmctld"].terminate()
        self._daemons["slurmctld"].wait()

    def pause_controller(self) -> None:
        """Have slurmctld answer nobody."""
        self._daemons["slurmctld"].send_signal(signal.SIGSTOP)

    def resume_controller(self) -> None:
        """End a pause."""
        if "slurmctld" in self._daemons:
            self._daemons["slurmctld"].send_signal(signal.SIGCONT)

    def start_node(self, node: str) -> None:
        """Start a node, or bring it back."""
        self._start("slurmd", "-D", "-N", node, key=node)
        end = time.monotonic() + 30
        while not (state := self._state(node)).startswith(AT_WORK):  # its jobs may be there before we look
            self.refuse_if_broken()
            if time.monotonic() > end:
                raise TimeoutError(f"{node} stays {state}")
            time.sleep(0.1)

    def _state(self, node: str) -> str:
        """`idle`, `mixed`, `down*` or the like."""
        return self.run("sinfo", "--noheader", "--format=%T", f"--nodes={node}", check=False).stdout.strip()

    def lose_node(self, node: str, with_processes: bool = True) -> None:
        """Take a node away as a power cut does, or cut it from the network and leave its jobs at work."""
        if node in self._daemons:
            self._daemons[node].kill()
            self._daemons[node].wait()
        if with_processes:
            for process in [*self._stewards(node), *self.processes(node)]:
                with suppress(psutil.NoSuchProcess):  # it went with another
                    process.kill()

    def _stewards(self, node: str) -> list[psutil.Process]:
        """The slurmstepd of a node, which hide their environment but hold the node's log open."""
        log = str(self.folder / f"{node}.log")
        return [
            process
            for process in psutil.process_iter(["name", "open_files"])
            if process.info["name"] == "slurmstepd"
            and log in {file.path for file in process.info["open_files"] or ()}
        ]

    def processes(self, node: str | None = None) -> list[psutil.Process]:
        """The processes of jobs: on one node, or all."""
        found = []
        for process in psutil.process_iter():
            try:
                environment = process.environ()
            except psutil.Error:
                continue
            if environment.get("SLURM_CONF") == self.environment["SLURM_CONF"] and (
                environment.get("SLURMD_NODENAME") in ([node] if node else self.nodes)
            ):
                found.append(process)
        return found

    def preempt(self, node: str) -> None:
        """Have what runs on a node give way for good to a job of the urgent partition, without grace."""
        self.run("scontrol", "update", "PartitionName=gpu", "PreemptMode=CANCEL")
        urgent = ("--partition=urgent", f"--nodelist={node}", f"--gpus={len(DEVICES)}", "--wrap=true")
        self.run("sbatch", "--output=/dev/null", *urgent)

    def hasten(self, job: str) -> None:
        """Have a job that is requeued start as soon as it can: SLURM would have it wait two minutes."""
        while job not in self.jobs("PENDING"):
            self.refuse_if_broken()
            time.sleep(0.2)
        self.run("scontrol", "update", f"JobId={job}", "StartTime=now")

    def refuse_if_broken(self) -> None:
        """Skip a test that SLURM spoilt: 22.05 drains a node that it loses while it launches a job there."""
        states = self.run("sinfo", "--noheader", "--Node", "--format=%N %T %E", check=False).stdout
        if "Duplicate jobid" in states:
            pytest.skip(f"SLURM took a job for its own copy and drained the node: {states.strip()}")

    def jobs(self, *states: str) -> dict[str, str]:
        """The jobs that SLURM knows, number and comment; those in some states if any are given."""
        option = [f"--states={','.join(states or ['all'])}"]
        lines = self.run("squeue", "--noheader", "--format=%i|%k", *option).stdout.splitlines()
        return dict(line.split("|", 1) for line in lines)
