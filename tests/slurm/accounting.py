"""What sacct asks: MariaDB and slurmdbd, with their files in a cluster's folder, on the loopback alone."""

import getpass
import secrets
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

PROGRAMS = ("mariadbd", "mariadb-install-db", "mariadb", "slurmdbd", "sacct", "sacctmgr")
ACCOUNT = "vision"
NO_ACCOUNTING = "AccountingStorageType=accounting_storage/none\n"
SLURM_CONF = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={port}
AccountingStoragePass={folder}/munge.socket
AccountingStorageTRES=gres/gpu,gres/shard
AccountingStorageEnforce=associations,qos
"""
SLURMDBD_CONF = """\
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={port}
CommunicationParameters=NoInAddrAny
SlurmUser={user}
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={database_port}
StorageUser=slurm
StoragePass={password}
StorageLoc=accounting
PidFile={folder}/slurmdbd.pid
LogFile={folder}/slurmdbd.log
"""
SQL = """\
CREATE DATABASE accounting;
CREATE USER 'slurm'@'localhost' IDENTIFIED BY '{password}';
GRANT ALL ON accounting.* TO 'slurm'@'localhost';
"""


@dataclass
class Accounting:
    """The settings of one cluster's accounting. The daemons are the cluster's to start."""

    folder: Path
    port: int
    database_port: int
    password: str = field(default_factory=secrets.token_hex)

    def configure(self) -> str:
        """Write slurmdbd's configuration and an empty database; the lines that slurm.conf needs."""
        given = vars(self) | {"user": getpass.getuser()}
        conf = self.folder / "slurmdbd.conf"
        conf.touch(mode=0o600)  # slurmdbd insists
        conf.write_text(SLURMDBD_CONF.format(**given))
        (self.folder / "users.sql").write_text(SQL.format(**given))
        subprocess.run(
            [
                *("mariadb-install-db", "--no-defaults", f"--user={getpass.getuser()}", "--skip-test-db"),
                f"--datadir={self.folder / 'database'}",
            ],
            check=True, capture_output=True,
        )  # fmt: skip
        return SLURM_CONF.format(**given)

    @property
    def database(self) -> tuple[str, ...]:
        """The command of the database's daemon."""
        return (
            *("mariadbd", "--no-defaults", f"--user={getpass.getuser()}", "--performance-schema=off"),
            *("--bind-address=127.0.0.1", f"--port={self.database_port}", "--innodb-buffer-pool-size=64M"),
            *(f"--datadir={self.folder / 'database'}", f"--pid-file={self.folder / 'database.pid'}"),
            *(f"--init-file={self.folder / 'users.sql'}", f"--socket={self._socket}"),
        )

    @property
    def ping(self) -> tuple[str, ...]:
        """A command that succeeds when the database answers."""
        user = ("--user=slurm", f"--password={self.password}")
        return ("mariadb", "--no-defaults", f"--socket={self._socket}", *user, "--execute=SELECT 1")

    @property
    def _socket(self) -> Path:
        return self.folder / "database.socket"
