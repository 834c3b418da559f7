// What could go wrong in Node: errors of one call given to another, pages that do not end, texts cut at a NUL,
// numbers beyond 2^53. Run by `npm test`.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Database, Policy, SlaclockError } from './slaclock.mjs';

const at = (text) => new Date(`2026-03-${text}+03:00`);
const kind = (wanted) => (error) => error instanceof SlaclockError && error.kind === wanted;
const all = async (rows) => {
  const list = [];
  for await (const row of rows) list.push(row);
  return list;
};

const policy = new Policy(new URL('../policies/promise.toml', import.meta.url).pathname);
let folder;
let files = 0;
before(async () => (folder = await mkdtemp(join(tmpdir(), 'slaclock-node-'))));
after(() => rm(folder, { recursive: true }));
const fresh = () => Database.openOrCreate(join(folder, `${(files += 1)}.slaclock`), policy);

test('a policy answers at once', () => {
  assert.deepEqual(policy.due('resolution', at('06T15:00')), at('09T11:00'));
  assert.deepEqual(policy.due('resolution', at('06T13:59:59.999')), at('06T18:00'));
  assert.equal(policy.zone('resolution', { priority: 'high' }), 'Europe/Moscow');
  assert.throws(() => policy.due('resolutoin', at('06T15:00')), kind('NotFound'));
  assert.throws(() => policy.due('resolution', new Date('2100-01-01T00:00Z')), kind('OutOfRange'));
  assert.throws(() => new Policy('/nowhere.toml'), kind('NotFound'));
});

test('a request from receipt to report', async () => {
  const db = await fresh();
  const request = { id: 'Größe-1', receivedAt: at('06T15:00'), priority: 'high', attributes: { site: 'Köln' } };
  const { isNew, clocks } = await db.submit(request);
  assert.deepEqual([isNew, clocks.resolution.dueAt], [true, at('09T11:00')]);
  assert.equal((await db.submit(request)).isNew, false);
  await assert.rejects(db.submit({ ...request, priority: 'low' }), kind('Conflict'));
  const paused = await db.record('Größe-1', {
    event: 'paused',
    at: at('09T09:30'),
    reason: 'waiting_customer',
    key: 'p',
  });
  assert.deepEqual([paused.clocks.resolution.stage, paused.clocks.resolution.remaining], ['paused', 5400]);
  const link = { event: 'faq_linked', at: at('09T11:30'), by: 'ann', faq: 'vpn' };
  await assert.rejects(db.record('Größe-1', link), (error) => kind('NotFound')(error) && error.message.includes('`vpn`'));
  await db.record('Größe-1', { event: 'resolved', at: at('09T12:00') });
  assert.deepEqual((await db.get('Größe-1')).state, { resolved: { at: +at('09T12:00') / 1000 } });
  assert.equal((await db.get('Größe-1', at('09T10:00'))).state, 'open');
  assert.equal((await db.counts(at('10T09:00'))).met, 1);
  const [group] = await db.attainment({ period: '2026-03', by: ['site'], now: at('31T09:00') });
  assert.deepEqual([group.by, group.share_bp], [{ site: 'Köln' }, 10000]);
  assert.match(await db.explain('Größe-1', 'resolution', at('10T09:00')), /waiting_customer/);
  assert.equal((await db.verify()).differing, 0);
  await db.close();
  await assert.rejects(db.counts(at('10T09:00')), kind('Closed'));
});

test('scans give every page', async () => {
  const db = await fresh();
  const rows = Array.from({ length: 600 }, (_, i) => ({
    submit: { id: `C-${i}`, receivedAt: new Date(+at('06T15:00') + i * 1000) },
  }));
  assert.deepEqual(new Set(await db.apply(rows)), new Set([true]));
  const late = await all(db.late(at('10T10:00')));
  assert.equal(late.length, 600);
  assert.deepEqual(
    late.map((row) => row.request),
    rows.map((row) => row.submit.id),
  );
  assert.equal((await all(db.scan({ now: at('09T10:00'), clock: 'resolution', until: at('09T11:00') }))).length, 0);
  assert.equal((await all(db.atRisk(at('09T10:59')))).length, 600);
  assert.equal((await all(db.breached(at('10T10:00')))).length, 0);
  await assert.rejects(all(db.scan({ now: at('09T10:00'), clock: 'nope' })), kind('NotFound'));
  await db.close();
});

test('a batch says what is wrong with a row', async () => {
  const db = await fresh();
  const rows = [
    { submit: { id: 'A', receivedAt: at('06T15:00') } },
    { request: 'B', record: { event: 'resolved', at: at('06T16:00') } },
  ];
  await assert.rejects(db.apply(rows), kind('NotFound'));
  const [first, second] = await db.apply(rows, { skip: true });
  assert.ok(first === true && kind('NotFound')(second));
  const many = Array.from({ length: 5000 }, (_, i) => ({
    submit: { id: `C-${i}`, receivedAt: at('06T15:00'), subject: 'x'.repeat(100) },
  }));
  assert.equal((await db.apply(many)).length, 5000);
  await db.close();
});

test('each of many calls at once has its own error', async () => {
  const db = await fresh();
  const calls = Array.from({ length: 1000 }, (_, i) =>
    i % 2 ? db.get(`none-${i}`) : db.submit({ id: `C-${i}`, receivedAt: at('06T15:00') }),
  );
  for (const [i, call] of (await Promise.allSettled(calls)).entries()) {
    if (i % 2) assert.match(call.reason.message, new RegExp(`\`none-${i}\``));
    else assert.equal(call.value?.isNew, true, call.reason);
  }
  await db.close();
});

test('odd texts are refused by name, not cut', async () => {
  const db = await fresh();
  await assert.rejects(db.submit({ id: 'a\0b', receivedAt: at('06T15:00') }), kind('InvalidArgument'));
  await assert.rejects(db.get('a\0b'), (error) => error instanceof SlaclockError && error.message.includes('a'));
  await assert.rejects(db.record('', { event: 'resolved', at: at('06T15:00') }), SlaclockError);
  await assert.rejects(db.acknowledge('mailer', 1), kind('OutOfRange'));
  await db.close();
});
