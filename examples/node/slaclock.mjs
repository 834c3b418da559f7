// slaclock for Node, over koffi: policies, and databases of promises to customers.
//
// Instants are Dates, floored to whole seconds. Calls on a database run on koffi's threads and give promises, so that
// the event loop never waits for the disk; a policy answers at once. What goes wrong is a SlaclockError with the
// status number and its name. Each call has an error struct of its own: the library's "last error" is one per thread,
// and asynchronous calls change threads.
//
// The library is the path in the environment variable SLACLOCK_LIBRARY, or libslaclock.so.0 where the system looks
// for libraries.

import { promisify } from 'node:util';
import koffi from 'koffi';

const ABI_VERSION = 0;
const NONE = -(2n ** 63n);
const FIRST_PAGE = -1n;
const LAST_PAGE = -2n;
const PAGE_ROWS = 256;
const MESSAGE_SIZE = 240;
const MOST_CALLS = 64;
const STAGES = ['idle', 'on_track', 'at_risk', 'late', 'breached', 'paused', 'met', 'missed', 'cancelled'];
const PERS = ['whole', 'month', 'quarter', 'year'];

const library = koffi.load(process.env.SLACLOCK_LIBRARY || 'libslaclock.so.0');

for (const name of [
  'slaclock_calendar',
  'slaclock_db',
  'slaclock_facts',
  'slaclock_options',
  'slaclock_policy',
  'slaclock_rule',
  'slaclock_text',
]) {
  koffi.opaque(name);
}

koffi.struct('slaclock_error', {
  size: 'uint32_t',
  code: 'int32_t',
  reason: 'int32_t',
  line: 'int32_t',
  column: 'int32_t',
  message: koffi.array('char', MESSAGE_SIZE),
});

koffi.struct('slaclock_query', {
  size: 'uint32_t',
  stages: 'int32_t',
  now: 'int64_t',
  since: 'int64_t',
  until: 'int64_t',
  clock: 'const char *',
  clock_len: 'size_t',
});

koffi.struct('slaclock_attainment_query', {
  size: 'uint32_t',
  per: 'int32_t',
  now: 'int64_t',
  period: 'const char *',
  period_len: 'size_t',
  clock: 'const char *',
  clock_len: 'size_t',
  by: 'const char *',
  by_len: 'size_t',
});

const stageCounts = koffi.struct(
  'slaclock_stage_counts',
  Object.fromEntries(
    ['on_track', 'at_risk', 'late', 'breached', 'paused', 'idle', 'met', 'missed', 'cancelled'].map((stage) => [
      stage,
      'int64_t',
    ]),
  ),
);

// As in include/slaclock.h. A text is its bytes and their number.
const c = {
  abi_version: library.func('int32_t slaclock_abi_version()'),
  version: library.func('const char *slaclock_version()'),
  status_name: library.func('const char *slaclock_status_name(int32_t status)'),
  text_data: library.func('const char *slaclock_text_data(slaclock_text *text)'),
  text_free: library.func('void slaclock_text_free(slaclock_text *text)'),
  facts_free: library.func('void slaclock_facts_free(slaclock_facts *facts)'),
  policy_free: library.func('void slaclock_policy_free(slaclock_policy *policy)'),
  rule_free: library.func('void slaclock_rule_free(slaclock_rule *rule)'),
  calendar_free: library.func('void slaclock_calendar_free(slaclock_calendar *calendar)'),
};
const fallible = {
  facts_from_json: '(const char *json, size_t json_len, _Out_ slaclock_facts **out',
  policy_load: '(const char *path, size_t path_len, _Out_ slaclock_policy **out',
  policy_due:
    '(slaclock_policy *policy, const char *clock, size_t clock_len, int64_t at, slaclock_facts *facts, _Out_ int64_t *out',
  policy_rule:
    '(slaclock_policy *policy, const char *clock, size_t clock_len, slaclock_facts *facts, _Out_ slaclock_rule **out',
  rule_calendar: '(slaclock_rule *rule, _Out_ slaclock_calendar **out',
  calendar_zone: '(slaclock_calendar *calendar, _Out_ slaclock_text **out',
  open: '(const char *path, size_t path_len, slaclock_options *options, _Out_ slaclock_db **out',
  create:
    '(const char *path, size_t path_len, slaclock_policy *policy, slaclock_options *options, _Out_ slaclock_db **out',
  close: '(slaclock_db *db',
  submit_json: '(slaclock_db *db, const char *json, size_t json_len, _Out_ slaclock_text **out',
  record_json:
    '(slaclock_db *db, const char *id, size_t id_len, const char *json, size_t json_len, _Out_ slaclock_text **out',
  apply_json: '(slaclock_db *db, const char *json, size_t json_len, int32_t on_error, _Out_ slaclock_text **out',
  get_json: '(slaclock_db *db, const char *id, size_t id_len, int64_t now, _Out_ slaclock_text **out',
  scan_json: '(slaclock_db *db, slaclock_query *query, int64_t after, size_t limit, _Out_ slaclock_text **out',
  counts: '(slaclock_db *db, int64_t now, _Out_ slaclock_stage_counts *out',
  advance: '(slaclock_db *db, int64_t now, _Out_ int64_t *out',
  pending_json:
    '(slaclock_db *db, const char *consumer, size_t consumer_len, size_t limit, _Out_ slaclock_text **out',
  acknowledge: '(slaclock_db *db, const char *consumer, size_t consumer_len, int64_t number',
  attainment_json: '(slaclock_db *db, slaclock_attainment_query *query, _Out_ slaclock_text **out',
  explain:
    '(slaclock_db *db, const char *id, size_t id_len, const char *clock, size_t clock_len, int64_t now, _Out_ slaclock_text **out, slaclock_text **json',
  verify: '(slaclock_db *db, void *rebuilt, _Out_ slaclock_text **out',
};
for (const [name, parameters] of Object.entries(fallible)) {
  const call = library.func(`int slaclock_${name}${parameters}, _Inout_ slaclock_error *error)`);
  c[name] = { call, start: promisify(call.async) };
}

if (c.abi_version() !== ABI_VERSION) {
  throw new Error(`the library's interface has number ${c.abi_version()}, this module needs ${ABI_VERSION}`);
}

/**
 * What a call came to, if it failed: `status` is its number, `kind` its name, like `NotFound`, the same in every
 * language.
 */
export class SlaclockError extends Error {
  constructor(status, message, { line = 0, column = 0 } = {}) {
    super(message);
    this.name = 'SlaclockError';
    this.status = status;
    this.kind = c.status_name(status);
    this.line = line;
    this.column = column;
  }
}

const newError = () => ({
  size: koffi.sizeof('slaclock_error'),
  code: 0,
  reason: 0,
  line: 0,
  column: 0,
  message: '',
});

function check(status, error) {
  if (status !== 0) throw new SlaclockError(status, error.message, error);
}

function callNow(name, ...args) {
  const error = newError();
  check(c[name].call(...args, error), error);
}

// koffi refuses more than 256 calls at once, and Node runs four at a time anyway: the others wait here for their
// turn.
let free = MOST_CALLS;
const waiting = [];

async function callLater(name, ...args) {
  if (free > 0) free -= 1;
  else await new Promise((turn) => waiting.push(turn));
  const error = newError();
  try {
    check(await c[name].start(...args, error), error);
  } finally {
    // The turn passes on; only when nobody waits does it become free.
    if (waiting.length > 0) waiting.shift()();
    else free += 1;
  }
}

/** The text of a handle, which is freed. */
function take([text]) {
  try {
    return c.text_data(text);
  } finally {
    c.text_free(text);
  }
}

async function made(name, ...args) {
  const out = [null];
  await callLater(name, ...args, out);
  return take(out);
}

const json = async (name, ...args) => JSON.parse(await made(name, ...args));

/**
 * Where the next page begins. The number goes beyond 2^53, so JSON.parse would give another; it is the last thing of
 * the document.
 */
const nextPage = (page) => BigInt(/"next":\s*(-?\d+)\s*\}$/.exec(page)[1]);

/** A text as two arguments. The C side reads up to the length, so a NUL inside is found and refused by name there. */
const text = (value) => [value, Buffer.byteLength(value)];

/** The same for a text that may be left out. */
const maybeText = (value) => (value === undefined ? [null, 0] : text(value));

const document = (value) => text(JSON.stringify(value));

const seconds = (date) => Math.floor(date.getTime() / 1000);
const date = (value) => (value === null ? null : new Date(value * 1000));

/** Facts for the time of one call. */
function withFacts(facts, use) {
  if (Object.keys(facts).length === 0) return use(null);
  const handle = [null];
  callNow('facts_from_json', ...document(facts), handle);
  try {
    return use(handle[0]);
  } finally {
    c.facts_free(handle[0]);
  }
}

const clockOf = ({ started_at, due_at, limit_at, finished_at, no_deadline, beyond_known_holidays, ...rest }) => ({
  ...rest,
  startedAt: date(started_at),
  dueAt: date(due_at),
  limitAt: date(limit_at),
  finishedAt: date(finished_at),
  noDeadline: no_deadline,
  beyondKnownHolidays: beyond_known_holidays,
});

const writtenOf = ({ outcome, clocks }) => ({
  isNew: outcome === 'recorded',
  clocks: Object.fromEntries(clocks.map((clock) => [clock.clock, clockOf(clock)])),
});

const requestDocument = ({ receivedAt, ...rest }) => ({ ...rest, received_at: seconds(receivedAt) });

const eventDocument = ({ at, dueAt, ...rest }) => ({
  ...rest,
  at: seconds(at),
  ...(dueAt === undefined ? {} : { due: seconds(dueAt) }),
});

export const version = () => c.version();

/** The written agreement. */
export class Policy {
  #handle = [null];

  /** Reads and checks a policy file, and runs its worked examples. */
  constructor(path) {
    callNow('policy_load', ...text(path), this.#handle);
  }

  get handle() {
    return this.#handle[0];
  }

  /** When a request with these facts, like `{ priority: 'high' }`, received at this Date, is due. */
  due(clock, receivedAt, facts = {}) {
    const out = [0];
    withFacts(facts, (handle) =>
      callNow('policy_due', this.handle, ...text(clock), seconds(receivedAt), handle, out),
    );
    return date(out[0]);
  }

  /** The name of the time zone of the calendar that counts for such a request. */
  zone(clock, facts = {}) {
    const [rule, calendar, zone] = [[null], [null], [null]];
    withFacts(facts, (handle) => callNow('policy_rule', this.handle, ...text(clock), handle, rule));
    try {
      callNow('rule_calendar', rule[0], calendar);
      callNow('calendar_zone', calendar[0], zone);
      return take(zone);
    } finally {
      c.calendar_free(calendar[0]);
      c.rule_free(rule[0]);
    }
  }

  close() {
    c.policy_free(this.handle);
  }
}

/**
 * Requests and their events in one file. Any number of processes may use it, and any number of calls may be on their
 * way.
 */
export class Database {
  #handle;

  /** Programs use `open`, `create` and `openOrCreate`. */
  constructor(handle) {
    this.#handle = handle;
  }

  static async open(path) {
    const out = [null];
    await callLater('open', ...text(path), null, out);
    return new Database(out[0]);
  }

  static async create(path, policy) {
    const out = [null];
    await callLater('create', ...text(path), policy.handle, null, out);
    return new Database(out[0]);
  }

  /** Makes the database if there is none; safe for several processes at once. */
  static async openOrCreate(path, policy) {
    try {
      return await Database.open(path);
    } catch (error) {
      if (error.kind !== 'NotFound') throw error;
    }
    try {
      return await Database.create(path, policy);
    } catch (error) {
      // Another process was faster.
      if (error.kind === 'AlreadyExists') return Database.open(path);
      throw error;
    }
  }

  /** Calls that are on their way end first. */
  close() {
    return callLater('close', this.#handle);
  }

  /**
   * Submits `{ id, receivedAt, customer, priority, category, channel, subject, attributes }`. Gives `isNew` and
   * `clocks` by name; the same content again changes nothing.
   */
  async submit(request) {
    return writtenOf(await json('submit_json', this.#handle, ...document(requestDocument(request))));
  }

  /**
   * Records `{ event, at, by, key, text, reason, to, vendor, dueAt, facts, approved_by, clock, cycle, faq }`. With a key, the
   * same event again changes nothing.
   */
  async record(id, event) {
    return writtenOf(await json('record_json', this.#handle, ...text(id), ...document(eventDocument(event))));
  }

  /**
   * Writes rows `{ submit: request }` and `{ request: id, record: event }` in one transaction. With `skip`, wrong
   * rows are left out and come back as SlaclockErrors; without, one wrong row throws and nothing is written. True
   * stands for what is new, false for what was there already.
   */
  async apply(rows, { skip = false } = {}) {
    const documents = rows.map((row) =>
      'submit' in row
        ? { submit: requestDocument(row.submit) }
        : { request: row.request, record: eventDocument(row.record) },
    );
    const outcomes = await json('apply_json', this.#handle, ...document(documents), skip ? 1 : 0);
    return outcomes.map((row) =>
      'outcome' in row ? row.outcome === 'recorded' : new SlaclockError(row.status, row.message),
    );
  }

  /**
   * Everything known of a request, right after its latest event or at `now`: `state`, `facts`, `clocks`, `events` ...
   */
  async get(id, now) {
    const found = await json('get_json', this.#handle, ...text(id), now === undefined ? NONE : seconds(now));
    return { ...found, clocks: found.clocks.map(clockOf) };
  }

  /**
   * Running clocks at `now`, earliest due first, page by page: `stages` like `['late']`, `since` and `until` bound
   * the due instant.
   */
  async *scan({ now, stages = [], since, until, clock }) {
    const [name, length] = maybeText(clock);
    const query = {
      size: koffi.sizeof('slaclock_query'),
      stages: stages.reduce((sum, stage) => sum | (1 << STAGES.indexOf(stage)), 0),
      now: seconds(now),
      since: since === undefined ? NONE : seconds(since),
      until: until === undefined ? NONE : seconds(until),
      clock: name,
      clock_len: length,
    };
    for (let after = FIRST_PAGE; after !== LAST_PAGE;) {
      const page = await made('scan_json', this.#handle, query, after, PAGE_ROWS);
      for (const { due_at, limit_at, started_at, ...row } of JSON.parse(page).rows) {
        yield { ...row, dueAt: date(due_at), limitAt: date(limit_at), startedAt: date(started_at) };
      }
      after = nextPage(page);
    }
  }

  late(now) {
    return this.scan({ now, stages: ['late'] });
  }

  breached(now) {
    return this.scan({ now, stages: ['breached'] });
  }

  atRisk(now) {
    return this.scan({ now, stages: ['at_risk'] });
  }

  /** All clocks by stage. */
  async counts(now) {
    const out = {};
    await callLater('counts', this.#handle, seconds(now), out);
    return out;
  }

  /** Turns every threshold passed since the last advance into a notice; gives their number. */
  async advance(now) {
    const out = [0];
    await callLater('advance', this.#handle, seconds(now), out);
    return out[0];
  }

  /**
   * Notices that a consumer has not acknowledged: `number`, `request`, `clock`, `threshold`, `percent`, `at`,
   * `by_change`, `retracted`; of a promised share `period` (`first` and `last`), and then `request` is empty.
   */
  async pending(consumer, limit = 1000) {
    const notices = await json('pending_json', this.#handle, ...text(consumer), limit);
    return notices.map(({ threshold, at, ...rest }) => {
      const [kind, percent] = typeof threshold === 'string' ? [threshold, null] : Object.entries(threshold)[0];
      return { ...rest, threshold: kind, percent, at: date(at) };
    });
  }

  acknowledge(consumer, number) {
    return callLater('acknowledge', this.#handle, ...text(consumer), number);
  }

  /**
   * Attainment of what was received in a period like `2026-03`, by clock and period: as slaclock_attainment_json
   * gives it.
   */
  attainment({ period, per = 'whole', clock, by, now }) {
    const query = { size: koffi.sizeof('slaclock_attainment_query'), per: PERS.indexOf(per), now: seconds(now) };
    [query.period, query.period_len] = maybeText(period);
    [query.clock, query.clock_len] = maybeText(clock);
    [query.by, query.by_len] = by === undefined ? [null, 0] : document(by);
    return json('attainment_json', this.#handle, query);
  }

  /** Why a clock stands where it stands, in sentences. */
  async explain(id, clock, now) {
    const out = [null];
    await callLater('explain', this.#handle, ...text(id), ...text(clock), seconds(now), out, null);
    return take(out);
  }

  /** Derives everything anew from the events and compares; `differing` is 0 if all is well. */
  verify() {
    return json('verify', this.#handle, null);
  }
}
