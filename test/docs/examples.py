# examples.py - runs the tested examples of Markdown pages and compares what they print with what the page shows.
#
# A fence "```sql tested" is run by psql; a fence "```output" after it is what psql prints, to the letter (blanks at line
# ends and CONTEXT apart). A comment "<!-- run" ... "-->" is run as well and its output is not looked at: what the reader's account
# does between two examples. The blocks of one page run in one session of a fresh database, on the simulator as it is
# after a start. The reader's company and token become those of the simulator. An error where no output is shown fails.

import os
import re
import subprocess
import sys

FENCE = re.compile(r"^```(.*)$")
MARK = "=== block %d ==="
DATABASE = "pipedrive_docs_examples"


class Block:
    def __init__(self, kind, first, lines):
        self.kind, self.first, self.lines = kind, first, lines  # first: index of the line after the opening one
        self.output = None  # the block with its output


def blocks_of(lines):
    """Blocks to run, in order."""
    found, i, last = [], 0, None
    while i < len(lines):
        fence = FENCE.match(lines[i])
        hidden = lines[i].strip() == "<!-- run"
        if not fence and not hidden:
            if lines[i].strip():
                last = None  # output follows its statements at once
            i += 1
            continue
        start = i + 1
        end = start
        while lines[end].rstrip() != ("-->" if hidden else "```"):
            end += 1
        block = Block("hidden" if hidden else fence.group(1).strip(), start, lines[start:end])
        if block.kind in ("sql tested", "hidden"):
            found.append(block)
            last = block if block.kind == "sql tested" else None
        elif block.kind == "output" and last is not None:
            last.output, last = block, None
        else:
            last = None
        i = end + 1
    return found


def as_simulated(text):
    text = text.replace("company_domain 'acme'", "api_base_url '%s'" % os.environ["PIPEDRIVE_SIMULATOR_URL"])
    return re.sub(r"api_token '[^']*'", "api_token 'sim-token-admin'", text)


def script_of(blocks):
    out = ["\\set ECHO none", "\\i " + os.path.join(os.environ["PIPEDRIVE_TEST_ROOT"], "sql/include/prologue.psql"),
           "\\set ECHO none", "SET client_min_messages = notice;", "\\pset null ''", "\\set SHOW_CONTEXT never", "SET search_path = public;"]
    for number, block in enumerate(blocks):
        out += ["\\echo " + MARK % number, as_simulated("\n".join(block.lines)), ""]
    return "\n".join(out + ["\\echo " + MARK % len(blocks), ""])


def run_psql(database, script):
    done = subprocess.run(["psql", "-X", "-q", "-d", database], input=script, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, encoding="utf-8", check=False)
    return done.stdout


def outputs_of(blocks):
    run_psql("postgres", "DROP DATABASE IF EXISTS %s;\nCREATE DATABASE %s TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';\n"
             % (DATABASE, DATABASE))
    text = run_psql(DATABASE, script_of(blocks))
    run_psql("postgres", "DROP DATABASE IF EXISTS %s;\n" % DATABASE)
    parts = re.split(r"^=== block \d+ ===\n", text, flags=re.M)[1:]
    return [tidy(part) for part in parts] + [["(psql ended early)"]] * (len(blocks) - len(parts))


def tidy(text):
    lines = [line.rstrip() for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    while lines and not lines[0]:
        lines.pop(0)
    return lines


def comparable(lines):
    """What the majors of PostgreSQL print differently, and sizes that depend on compression, in one form."""
    lines = [line.rstrip() for line in lines]
    if not any("QUERY PLAN" in line for line in lines):
        return lines
    lines = [re.sub(r"rows=(\d+)\.00", r"rows=\1", re.sub(r"(Bytes Received:) \d+", r"\1 N", line)) for line in lines]
    return [line.strip() for line in lines if not re.match(r"^(-+$|\(\d+ rows?\)|\s*(Buffers|Disabled|Index Searches):)", line)]


def check_page(path, write):
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    blocks = blocks_of(lines)
    if not blocks:
        return
    got = outputs_of(blocks)
    changes = []
    for block, printed in zip(blocks, got):
        title = "%s:%d" % (os.path.basename(path), block.first)
        error = next((line for line in printed if re.match(r"(psql:.*)?(ERROR|FATAL|server closed|\(psql ended)", line)), None)
        if block.output is None:
            if error:
                print("not ok %s: %s" % (title, error))
            elif block.kind != "hidden":
                print("ok %s" % title)
        elif comparable(block.output.lines) == comparable(printed):
            print("ok %s" % title)
        elif write:
            changes.append((block.output, printed))
            print("ok %s (written)" % title)
        else:
            print("not ok %s: shown and printed differ" % title)
            print("\n".join("    shown   | " + line for line in block.output.lines))
            print("\n".join("    printed | " + line for line in printed))
    for output, printed in reversed(changes):
        lines[output.first:output.first + len(output.lines)] = printed
    if changes:
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))


def main(arguments):
    write = "--write" in arguments
    for path in arguments:
        if path != "--write":
            check_page(path, write)


main(sys.argv[1:])
