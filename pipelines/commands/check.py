"""Check a data set in Market-1501's layout, ours or anybody's, and print all of its faults."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.console import plain
from reid.common.errors import InputError
from reid.datasets import SPLITS
from reid.export import checks
from reid.export.layout import GENERATED
from reid.files.samples import DISTRACTOR


def run(path: Path) -> None:
    """Print a line for each finding, fatal ones first, and the number of images and identities in each split.

    Args:
        path: a folder or a zip.

    Raises:
        InputError: a finding is fatal: other libraries would read the set wrongly or not at all.
    """
    files, findings = checks.check(path)
    for finding in sorted(findings, key=lambda finding: (not finding.fatal, finding.where, finding.what)):
        detail = f" ({finding.detail})" if finding.detail else ""
        click.echo(plain(f"{'FATAL' if finding.fatal else 'warning'}: {finding.where}: {finding.what}{detail}"))
    for split in SPLITS:
        table = files[files["split"] == split]
        generated = sum(GENERATED.fullmatch(image) is not None for image in table["image"])
        people = table.loc[table["identity"] > DISTRACTOR, "identity"].nunique()
        click.echo(f"{split}: {len(table):,} images, {people:,} identities, {generated:,} named like generated images")
    fatal = sum(finding.fatal for finding in findings)
    if fatal:
        raise InputError(f"{path}: {fatal} fatal, {len(findings) - fatal} warnings")
    click.echo(f"{path}: nothing fatal, {len(findings)} warnings")
