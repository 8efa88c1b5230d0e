// SPDX-License-Identifier: EUPL-1.2
// usage: sync_peers.mjs yjs|automerge|pouchdb TEXTS DIR
// One library brings the texts (a line each) from one replica to another through files in DIR; prints "PEER MEASURE
// VALUE" lines. Yjs and Automerge: what they give is sealed with AES-256-GCM and made durable, a file a sync. PouchDB
// replicates through a database in DIR and seals nothing. Loading the library is not in the times.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const [, , peer, file, dir] = process.argv;
const texts = fs.readFileSync(file, 'utf8').trimEnd().split('\n');
const key = crypto.randomBytes(32);
const says = (measure, value) => console.log(`${peer} ${measure} ${Math.round(value)}`);
const record = (i) => ({ id: 'r' + i, date: 20000 + Math.floor(i / 20), channel: 'spreekuur', text: texts[i] });
const range = (from, count) => Array.from({ length: count }, (_, i) => record(from + i));
const must = (ok) => { if (!ok) throw new Error('what came out is not what went in'); };

async function timed(measure, work) {
  const start = performance.now();
  const result = await work();
  if (measure) says(measure, performance.now() - start);
  return result;
}

function seal(store, name, bytes) {
  const nonce = crypto.randomBytes(12);
  const c = crypto.createCipheriv('aes-256-gcm', key, nonce);
  const sealed = Buffer.concat([nonce, c.update(bytes), c.final(), c.getAuthTag()]);
  const fd = fs.openSync(path.join(store, name), 'w');
  fs.writeSync(fd, sealed);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

function open(store, name) {
  const all = fs.readFileSync(path.join(store, name));
  const d = crypto.createDecipheriv('aes-256-gcm', key, all.subarray(0, 12));
  d.setAuthTag(all.subarray(all.length - 16));
  return Buffer.concat([d.update(all.subarray(12, all.length - 16)), d.final()]);
}

const bytesOf = (store) => fs.readdirSync(store, { recursive: true, withFileTypes: true })
  .filter((e) => e.isFile()).reduce((n, e) => n + fs.statSync(path.join(e.parentPath ?? e.path, e.name)).size, 0);

// ---- libraries whose changes are bytes

async function yjs() {
  const Y = await import('yjs');
  return {
    start: () => new Y.Doc(),
    write(doc, records) {
      let update = null;
      doc.once('update', (bytes) => { update = bytes; });
      doc.transact(() => {
        for (const { id, ...fields } of records) {
          const m = new Y.Map();
          for (const [k, v] of Object.entries(fields)) m.set(k, v);
          doc.getMap('contacts').set(id, m);
        }
      });
      return [doc, update];
    },
    apply(doc, bytes) { Y.applyUpdate(doc, bytes); return doc; },
    text: (doc, id) => doc.getMap('contacts').get(id)?.get('text'),
    size: (doc) => doc.getMap('contacts').size,
  };
}

async function automerge() {
  const A = await import('@automerge/automerge');
  // both begin with the same empty map, or they would merge one of two away
  const base = A.save(A.change(A.init({ actor: '00' }), { time: 0 }, (d) => { d.contacts = {}; }));
  return {
    start: () => A.load(base),
    write(doc, records) {
      const next = A.change(doc, { time: 0 }, (d) => { for (const { id, ...f } of records) d.contacts[id] = f; });
      return [next, A.getLastLocalChange(next)];
    },
    apply: (doc, bytes) => A.applyChanges(doc, [bytes])[0],
    text: (doc, id) => doc.contacts[id]?.text,
    size: (doc) => Object.keys(doc.contacts).length,
  };
}

async function sealedFolder(lib) {
  const store = path.join(dir, 'store'), five = path.join(dir, 'five');
  fs.mkdirSync(store);
  fs.mkdirSync(five);
  let a = lib.start(), b = lib.start(), change = null;

  await timed('up_ms', () => { [a, change] = lib.write(a, range(0, 1000)); seal(store, 'a1', change); });
  says('bytes', bytesOf(store));
  await timed('down_ms', () => { b = lib.apply(b, open(store, 'a1')); });
  must(lib.size(b) === 1000 && lib.text(b, 'r999') === texts[999]);
  await timed('noop_ms', () => fs.readdirSync(store));
  const before = bytesOf(store);
  [a, change] = lib.write(a, range(1000, 1));
  seal(store, 'a2', change);
  says('one_bytes', bytesOf(store) - before);

  const docs = Array.from({ length: 5 }, () => lib.start());
  const changes = docs.map((doc, d) => { const [next, c] = lib.write(doc, range(1001 + 200 * d, 200)); docs[d] = next; return c; });
  await timed('five_ms', () => {
    changes.forEach((c, d) => seal(five, 'd' + d, c));
    docs.forEach((doc, d) => {
      for (let of = 0; of < 5; of++) if (of !== d) docs[d] = lib.apply(docs[d], open(five, 'd' + of));
    });
  });
  docs.forEach((doc) => must(lib.size(doc) === 1000));
  says('five_bytes', bytesOf(five));
}

async function pouchdb() {
  const PouchDB = (await import('pouchdb')).default;
  const db = (name) => new PouchDB(path.join(dir, name));
  const docs = (from, count) => range(from, count).map(({ id, ...f }) => ({ _id: id, ...f }));
  const count = async (d) => (await d.info()).doc_count;
  const a = db('a'), b = db('b'), store = db('store');

  await a.bulkDocs(docs(0, 1000));
  await timed('up_ms', () => a.replicate.to(store));
  await timed('down_ms', () => b.replicate.from(store));
  must(await count(b) === 1000);
  says('bytes', bytesOf(path.join(dir, 'store')));
  await timed('noop_ms', () => b.sync(store));
  says('plain', 1);

  const five = db('five'), devices = [0, 1, 2, 3, 4].map((d) => db('d' + d));
  for (const [d, device] of devices.entries()) await device.bulkDocs(docs(1001 + 200 * d, 200));
  await timed('five_ms', async () => {
    for (const device of devices) await device.sync(five);
    for (const device of devices) await device.sync(five);
  });
  for (const device of devices) must(await count(device) === 1000);
  says('five_bytes', bytesOf(path.join(dir, 'five')));
  for (const d of [a, b, store, five, ...devices]) await d.close();
}

if (peer === 'pouchdb') await pouchdb();
else await sealedFolder(await (peer === 'yjs' ? yjs() : automerge()));
