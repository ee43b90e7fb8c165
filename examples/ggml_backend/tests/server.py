"""server.py MODEL.gguf: llama-server with two clients at once, who get the same text as one after the other. Everything else of the
environment (GGML_BACKEND_PATH, TAMIS_RULE) is passed on."""
import json
import subprocess
import sys
import threading
import time
import urllib.request

port = 18437
server = subprocess.Popen(["llama-server", "-m", sys.argv[1], "--port", str(port), "-c", "512", "-np", "2", "-t", "2", "--no-webui"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def ask(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request, timeout=120))


def complete(prompt, to):
    to[prompt] = ask("/completion", {"prompt": prompt, "n_predict": 12, "temperature": 0, "cache_prompt": False})["content"]


try:
    for _ in range(600):
        try:
            ask("/health")
            break
        except OSError:
            assert server.poll() is None, "the server has ended"
            time.sleep(0.1)
    prompts = ("The capital of France is", "One, two, three,")
    alone, together = {}, {}
    for p in prompts:
        complete(p, alone)
    clients = [threading.Thread(target=complete, args=(p, together)) for p in prompts]
    for c in clients:
        c.start()
    for c in clients:
        c.join()
    print(together)
    assert len(together) == 2 and all(together.values()), "a client got nothing"
    same = sum(alone[p] == together[p] for p in prompts)
    print(f"{same} of 2 texts are as those of a client alone")
finally:
    server.terminate()
    server.wait()
