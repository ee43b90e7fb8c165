#!/usr/bin/env python3
"""Runs a WebAssembly program of WASI by PyPI's wasmtime (pip install wasmtime), a library without the command of that name:
python3 tests/platforms/wasi.py PROGRAM [ARGUMENT...]. Ends with the program's code."""
import sys

import wasmtime


def main():
    engine = wasmtime.Engine()
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    store = wasmtime.Store(engine)
    config = wasmtime.WasiConfig()
    config.argv = sys.argv[1:]
    config.inherit_stdout()
    config.inherit_stderr()
    store.set_wasi(config)
    program = linker.instantiate(store, wasmtime.Module.from_file(engine, sys.argv[1]))
    try:
        program.exports(store)["_start"](store)
    except wasmtime.ExitTrap as ended:
        return ended.code
    return 0


if __name__ == "__main__":
    sys.exit(main())
