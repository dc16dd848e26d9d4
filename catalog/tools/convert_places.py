#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""Take data/townships.tsv and data/abolished.tsv out of the tables that scripts/input-data builds.

Usage: convert_places.py TABLES_FOLDER DATA_FOLDER

    scripts/input-data && catalog/tools/convert_places.py target/input catalog/data

A township's first six digits are its county's, or its city's where that has none, so that the table
needs no column for it. What does not agree with data/regions.tsv is refused, not repaired.
"""

import re
import sys
from pathlib import Path


def rows(path):
    lines = path.read_text("utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def refuse(what):
    sys.exit(f"convert_places.py: {what}; make the tables and data/regions.tsv of the same list")


def write(path, header, table):
    path.write_text("\n".join([header, *("\t".join(row) for row in table)]) + "\n", "utf-8")
    print(f"{len(table):>6} rows  {path}")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    tables, data = map(Path, sys.argv[1:])
    upper = dict(rows(data / "regions.tsv"))
    listed = rows(tables / "regions.tsv")
    if {code: name for code, _, name in listed if len(code) == 6} != upper:
        refuse("the tables have other counties than data/regions.tsv")
    townships = []
    for code, parent, name in listed:
        if len(code) == 6:
            continue
        if not re.fullmatch(r"\d{9}", code) or code[:6] != parent or parent not in upper:
            refuse(f"odd township {code} {name} below {parent}")
        townships.append((code, name))
    abolished = rows(tables / "abolished.tsv")
    for code, name, today in abolished:
        if not re.fullmatch(r"\d{6}", code) or not name or (today and today not in upper):
            refuse(f"odd abolished place {code} {name} {today}")
    date = (data / "regions.tsv").read_text("utf-8").split(" as of ")[1][:10]
    write(data / "townships.tsv", f"# townships as of {date}; see PROVENANCE.md", sorted(townships))
    write(
        data / "abolished.tsv",
        "# old code, old name, today's code; data of real-china-division, changed, CC BY 4.0; see PROVENANCE.md",
        sorted(map(tuple, abolished)),
    )


main()
