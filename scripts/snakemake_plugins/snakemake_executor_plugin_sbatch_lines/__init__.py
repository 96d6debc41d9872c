"""A dry run of a workflow on Slurm: prints the sbatch line of every job and runs nothing.

Snakemake's own ``--dry-run`` knows no executor, and the Slurm executor has no dry run. This one asks the
latter for its lines. Snakemake finds it by its name where its folder is in the Python path, as in
``scripts/study.sh``: ``--profile scripts/profiles/slurm --executor sbatch-lines``.
"""

from __future__ import annotations

from snakemake.executors.dryrun import Executor as DryRun
from snakemake.executors.dryrun import common_settings
from snakemake_executor_plugin_slurm.submit_string import get_submit_command
from snakemake_executor_plugin_slurm.utils import set_gres_string
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

__all__ = ["Executor", "common_settings"]


class Executor(DryRun):  # type: ignore[misc]  # Snakemake has no types
    """Prints instead of submitting."""

    def printjob(self, job: JobExecutorInterface) -> None:
        """Print the sbatch line of a job, and what it will run."""
        if job.name not in self.workflow._localrules:
            print(f"{sbatch_line(job)}\n    {job.shellcmd}")


def sbatch_line(job: JobExecutorInterface) -> str:
    """Return how the Slurm executor submits a job; account and partition are Slurm's own unless set."""
    name = f"rule_{job.name}_wildcards_{'_'.join(job.wildcards)}"
    account, partition = (job.resources.get(f"slurm_{key}") for key in ("account", "partition"))
    params = {
        "run_uuid": "study",
        "slurm_logfile": f".snakemake/slurm_logs/{name}/%j.log",
        "comment_str": name,
        "account": f"-A {account}" if account else "",
        "partition": f"-p {partition}" if partition else "",
        "workdir": ".",
    }
    call: str = get_submit_command(job, params) + set_gres_string(job)
    return " ".join(call.split())
