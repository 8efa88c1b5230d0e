// SPDX-License-Identifier: EUPL-1.2
// Automerge and Yjs on the edits of bench_merge.c.
//   make PEER STREAM FILE   ten replicas write the stream; each change as it would travel goes to FILE
//   take PEER FILE EDITS RESULTS   a fresh replica applies FILE change by change; time and peak memory at the marks
// A record is a map in one of 1,000 maps, so that neither copies a map of all records for each change; text and
// registers are plain strings, as ours are values that are replaced whole; a set is a map of its elements.
import fs from 'node:fs';

const [, , mode, peer, from, to, results] = process.argv;
const DEVICES = 10;
const A = peer === 'automerge' ? await import('@automerge/automerge') : null;
const Y = peer === 'yjs' ? await import('yjs') : null;

const yjs = {
  start(n) { const d = new Y.Doc(); d.clientID = n + 1; return d; },
  change(doc, edits) {
    // the event's update, as a provider sends it: encodeStateAsUpdate() would repeat all that was ever deleted
    let update = null;
    const take = (bytes) => { update = bytes; };
    doc.on('update', take);
    doc.transact(() => {
      for (const [what, id, value] of edits) {
        const bucket = doc.getMap('b' + id % 1000);
        if (what === 'n') {
          const r = new Y.Map(), set = new Y.Map();
          set.set('geld', true);
          r.set('date', 20000); r.set('channel', 'spreekuur'); r.set('text', value); r.set('domains', set);
          bucket.set('r' + id, r);
          continue;
        }
        const r = bucket.get('r' + id);
        if (what === 't') r.set('text', value);
        else if (what === 'r') r.set('channel', value);
        else if (what === '+') r.get('domains').set(value, true);
        else r.get('domains').delete(value);
      }
    });
    doc.off('update', take);
    return [doc, update];
  },
  apply(doc, bytes) { Y.applyUpdate(doc, bytes); return doc; },
  applyAll(doc, all) { doc.transact(() => all.forEach((b) => Y.applyUpdate(doc, b))); return doc; },
};

const automerge = {
  start(n) {
    // the maps of records come from one change that all share
    const base = A.change(A.init({ actor: '00' }), { time: 0 }, (d) => {
      for (let i = 0; i < 1000; i++) d['b' + i] = {};
    });
    return A.load(A.save(base), { actor: (n + 1).toString(16).padStart(2, '0') });
  },
  change(doc, edits) {
    const next = A.change(doc, { time: 0 }, (d) => {
      for (const [what, id, value] of edits) {
        const bucket = d['b' + id % 1000];
        if (what === 'n') {
          bucket['r' + id] = { date: 20000, channel: 'spreekuur', text: value, domains: { geld: true } };
          continue;
        }
        const r = bucket['r' + id];
        if (what === 't') r.text = value;
        else if (what === 'r') r.channel = value;
        else if (what === '+') r.domains[value] = true;
        else delete r.domains[value];
      }
    });
    return [next, A.getLastLocalChange(next)];
  },
  apply(doc, bytes) { return A.applyChanges(doc, [bytes])[0]; },
  applyAll(doc, all) { return A.applyChanges(doc, all)[0]; },
};

const lib = peer === 'yjs' ? yjs : automerge;

function* batches(path) {
  let batch = null;
  const left = { text: '' };
  const fd = fs.openSync(path);
  const block = Buffer.alloc(1 << 20);
  for (let n; (n = fs.readSync(fd, block)) > 0;) {
    const lines = (left.text + block.toString('latin1', 0, n)).split('\n');
    left.text = lines.pop();
    for (const line of lines) {
      const f = line.split('\t');
      if (f[0] === 'B') {
        if (batch) yield batch;
        batch = { device: Number(f[1]), edits: [] };
      } else batch.edits.push([f[0], Number(f[1]), f[2]]);
    }
  }
  if (batch) yield batch;
}

if (mode === 'make') {
  const out = fs.openSync(to, 'w');
  const docs = [];
  for (let i = 0; i < DEVICES; i++) docs.push(lib.start(i));
  let round = [];
  const exchange = () => {
    for (let i = 0; i < DEVICES; i++) docs[i] = lib.applyAll(docs[i], round.filter(([d]) => d !== i).map(([, b]) => b));
    round = [];
  };
  for (const b of batches(from)) {
    let bytes;
    [docs[b.device], bytes] = lib.change(docs[b.device], b.edits);
    const head = Buffer.alloc(4);
    head.writeUInt32LE(bytes.length);
    fs.writeSync(out, head);
    fs.writeSync(out, bytes);
    round.push([b.device, bytes]);
    if (round.length === DEVICES) exchange();
  }
  fs.closeSync(out);
} else {
  const edits = Number(to);
  const fd = fs.openSync(from);
  const head = Buffer.alloc(4);
  let doc = lib.start(99);
  let done = 0, wall = 0, cpu = 0;
  while (fs.readSync(fd, head) === 4) {
    const bytes = Buffer.alloc(head.readUInt32LE());
    fs.readSync(fd, bytes);
    const c = process.cpuUsage();
    const t = process.hrtime.bigint();
    doc = lib.apply(doc, bytes);
    const used = process.cpuUsage(c);
    cpu += (used.user + used.system) / 1e6;
    wall += Number(process.hrtime.bigint() - t) / 1e9;
    done += 100;
    if (done === 20000 || done === 100000 || done === 500000 || done === edits) {
      const mb = Math.round(process.resourceUsage().maxRSS / 1024);
      console.log(`${peer.padEnd(28)} ${String(done).padStart(9)} edits ${wall.toFixed(1).padStart(9)} s ` +
        `${cpu.toFixed(1).padStart(9)} s processor ${(cpu / done * 1e6).toFixed(2).padStart(8)} us an edit ` +
        `${String(mb).padStart(6)} MB at most`);
      fs.appendFileSync(results, `${peer} ${done} ${(cpu / done * 1e6).toFixed(3)} ${mb}\n`);
    }
  }
}
