# messages.py REPORT.CPP README - tells which primary error texts of the code the README does not list.

import re
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    rows = re.search(r"constexpr ReportRow kRows\[\] = \{(.*?)\n\};", file.read(), re.S).group(1)
with open(sys.argv[2], encoding="utf-8") as file:
    readme = file.read()

primaries = [re.sub(r'"\s*"', "", text).replace('\\"', '"')
             for text in re.findall(r'ErrorKind::\w+,\s*ERRCODE_\w+,\s*"((?:[^"\\]|\\.|"\s*")*?)",', rows)]
missing = [text for text in primaries
           if not re.search("`" + re.sub(r"\\\{\w+\\\}", '[^"`]+', re.escape(text)) + "`", readme)]
for text in missing:
    print("not in README.md: " + text)
if not missing:
    print("README.md lists all %d error texts" % len(set(primaries)))
sys.exit(1 if missing or len(primaries) < 10 else 0)
