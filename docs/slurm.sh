#!/bin/bash
# Eight machines' worth of workers on the ledger's studies. First: sweep submit study.toml
# Then: sbatch docs/slurm.sh, with --account and --partition where your cluster asks for them.
#SBATCH --job-name=sweep
#SBATCH --array=1-8
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=4
#SBATCH --mem=8G
#SBATCH --time=04:00:00
#SBATCH --signal=TERM@60
#SBATCH --requeue
#SBATCH --output=sweep-%A-%a.log
# For a GPU each, take one # away from the next line:
##SBATCH --gpus-per-task=1
set -euo pipefail

# A file that only you can read; its first line is the ledger's address.
export SWEEP_STORAGE_FILE="${SWEEP_STORAGE_FILE:-$HOME/.config/sweep/ledger}"
# Weights and pictures: a folder that all nodes see.
export SWEEP_ARTIFACTS="${SWEEP_ARTIFACTS:-$HOME/sweep-artifacts}"
export SWEEP_DATA_HOME="${SWEEP_DATA_HOME:-$HOME/data}"

# The environment that sweep is installed in; a folder that all nodes see.
. "${SWEEP_VENV:-$HOME/sweep/.venv}/bin/activate"

# Modules of your own: add --allow MODULE, and PYTHONPATH with their folder.
exec srun --ntasks=1 --cpus-per-task="$SLURM_CPUS_PER_TASK" sweep worker --all --quiet
