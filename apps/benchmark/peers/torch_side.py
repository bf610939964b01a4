"""PyTorch's side of a measurement: torch_side.py SPEC, commands on stdin, answers on file 3, one JSON a line.

The same words as src/child.ts. SPEC is JSON: { threads, data, code, compared, calls }.
"""
import json, os, signal, sys, time

signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us
spec = json.loads(sys.argv[1])
answers = os.fdopen(3, 'w')


def answer(**what):
    answers.write(json.dumps(what) + '\n')
    answers.flush()


def resident(field):
    for line in open('/proc/self/status'):
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    return 0


def read(path):
    out = {}
    with open(path + '.bin', 'rb') as f:
        blob = bytearray(f.read())
    for e in json.load(open(path + '.json')):
        dtype = torch.float32 if e['dtype'] == 'float32' else torch.int32
        size = 1
        for n in e['shape']:
            size *= n
        x = torch.frombuffer(blob, dtype=dtype, count=size, offset=e['offset']).clone().reshape(e['shape'])
        out[e['name']] = x if dtype == torch.float32 else x.long()
    return out


def write(path, values):
    entries, offset = [], 0
    with open(path + '.bin', 'wb') as f:
        for name, x in values.items():
            x = x.detach().contiguous()
            x = x.float() if x.is_floating_point() else x.int()
            blob = x.numpy().tobytes()
            dtype = 'float32' if x.is_floating_point() else 'int32'
            entries.append(dict(name=name, shape=list(x.shape), dtype=dtype, offset=offset))
            f.write(blob)
            offset += len(blob)
    json.dump(entries, open(path + '.json', 'w'))


try:
    import torch
    import torch.nn as nn
    import torch.nn.functional as F

    torch.set_num_threads(spec['threads'])
    scope = dict(torch=torch, nn=nn, F=F)
    exec(spec['code'], scope)
    step = scope['make'](read(spec['data']))
    threads = torch.get_num_threads()
    answer(opened=True, about=f"torch {torch.__version__}, {threads} {'thread' if threads == 1 else 'threads'}")
except Exception as error:
    answer(error=f'{type(error).__name__}: {error}')
    sys.exit(1)

for line in sys.stdin:
    ask = json.loads(line)
    try:
        if ask['do'] == 'result':
            made = {}
            for i in range(ask['steps']):
                for name, x in step().items():
                    made[name if ask['steps'] == 1 else f'{name} {i + 1}'] = x.detach().clone()
            write(ask['into'], made)
            answer(done=True)
        elif ask['do'] == 'measure':
            times, began, cpu = [], time.perf_counter(), time.process_time()
            while True:
                a = time.perf_counter()
                step()
                b = time.perf_counter()
                times.append((b - a) * 1e3)
                if len(times) >= ask['most'] or (b - began) * 1e3 >= ask['ms']:
                    break
            cpu = time.process_time() - cpu
            memory = dict(peakMB=resident('VmHWM'), residentMB=resident('VmRSS'))
            answer(times=times, cpuMs=cpu * 1e3, wallMs=(b - began) * 1e3, **memory)
    except Exception as error:
        answer(error=f'{type(error).__name__}: {error}')
