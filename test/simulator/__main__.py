# __main__.py - the command line: python3 test/simulator --port 0 --port-file FILE ...

import argparse
import os
import signal
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import server  # noqa: E402
import simulator  # noqa: E402


def parse(arguments):
    parser = argparse.ArgumentParser(prog="simulator", description="A stand-in for the Pipedrive API.")
    add = parser.add_argument
    add("--port", type=int, default=0, help="port on 127.0.0.1; 0 picks a free one")
    add("--port-file", help="file that gets the base URL once the server is ready")
    add("--seed", type=int, default=1)
    add("--scale", type=int, default=5000, help="number of deals")
    add("--custom-fields", type=int, default=0,
        help="this many more custom fields on deals; -1: no custom fields at all")
    add("--now", default="2026-03-31T12:00:00Z", help="the generated history ends here")
    add("--switch", action="append", default=[], metavar="NAME=VALUE", nargs="+")
    add("--daily", type=int, help="daily token budget")
    add("--burst", type=int, help="requests per token and two seconds")
    add("--recorded", action="append", default=[], metavar="FILE.jsonl", help="bodies to replay")
    add("--exit-with-stdin", action="store_true", help="exit when standard input ends")
    add("--quiet", action="store_true", help="no request log")
    return parser.parse_args(arguments)


def switch_values(texts):
    out = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError("--switch takes NAME=VALUE")
        out[name] = value
    return out


def write_atomically(name, text):
    with open(name + ".tmp", "w", encoding="ascii") as out:
        out.write(text + "\n")
    os.replace(name + ".tmp", name)


def wait_for_end_of_input(stop):
    while sys.stdin.buffer.read(4096):
        pass
    stop()


def main(arguments=None):
    options = parse(arguments)
    limits = {k: v for k, v in (("daily", options.daily), ("burst", options.burst)) if v is not None}
    try:
        switches = switch_values([text for group in options.switch for text in group])
        sim = simulator.Simulator(options.seed, options.scale, options.custom_fields, options.now, switches,
                                  limits, options.recorded)
        running = server.Server(sim, options.port, options.quiet)
    except (ValueError, OSError) as error:
        print("simulator: %s" % error, file=sys.stderr)
        return 2

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    if options.exit_with_stdin:
        threading.Thread(target=wait_for_end_of_input, args=(lambda: os._exit(0),), daemon=True).start()
    if options.port_file:
        write_atomically(options.port_file, sim.urls["api"])
    if not options.quiet:
        print(sim.urls["api"], flush=True)
    running.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
