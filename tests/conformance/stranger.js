// Part of the document in plain JavaScript, written without our engine, to hold the tables against a stranger.
// It leaves out restarting, checkpoints and pipelines, and follows the default readings. A job that has lost its session fails after
// five minutes, which the document allows; with the argument `sixteen`, after sixteen, which it does not.
// `node stranger.js` speaks on standard input and output; `node stranger.js serve` over HTTP, and prints its address.
'use strict';

const MINUTE = 60e6;
const DAY = 24 * 60 * MINUTE;
const GRACE = (process.argv.includes('sixteen') ? 16 : 5) * MINUTE;

const ABOVE = {
  'running-background': ['executing', 'running'],
  'running-interactive': ['executing', 'running'],
  'running-role': ['executing', 'running'],
  'grace-period': ['executing'],
};
const FIRST = {
  'identity-center': 'background-enabled',
  'studio-application': 'background-enabled',
  'studio-domain': 'tip-never',
  'interactive-session': 'signed-in',
  'background-session': 'active',
  job: 'pending',
};
const ACTORS = {
  'sign-in': ['user'], 'sign-out': ['user'], end: ['user'], stop: ['user', 'administrator'],
  start: ['service'], finish: ['service'], fail: ['service'], 'write-checkpoint': ['service'], restart: ['user'],
};

class Unimplemented extends Error {}

class World {
  constructor(readings) {
    const others = { 'A-02': 'pin', 'A-03': 'fresh', 'A-05': 'rescue', 'A-08': 'does-not-count', 'A-15': 'edge' };
    for (const [name, reading] of Object.entries(others)) {
      if (readings[name] === reading) throw new Unimplemented(`it follows another reading of ${name}`);
    }
    this.now = 0;
    this.all = new Map();
    this.happened = [];
  }

  // ---- making

  make(parts) {
    const things = parts.map((part) => this.blank(part));
    for (const thing of things) {
      if (thing === null) return false;
      this.all.set(thing.name, thing);
    }
    things.forEach((thing, index) => this.enter(thing, parts[index].state ?? FIRST[thing.machine]));
    return true;
  }

  blank({ machine, instance, fields, refs }) {
    const thing = { machine, name: instance, state: null, fields: { ...fields }, refs: { ...refs }, due: {}, made: 0 };
    if (machine === 'identity-center') {
      thing.fields = { 'background-duration': 7 * DAY, 'interactive-duration': DAY / 3, ...fields };
    }
    if (machine === 'job') {
      if (fields.kind === 'pipeline') throw new Unimplemented('it has no pipelines');
      if (fields.checkpoint) throw new Unimplemented('it has no checkpoints');
      const most = { training: 28, processing: 9 }[fields.kind] * DAY;
      if (fields['max-runtime'] > most) return null;
    }
    return thing;
  }

  // ---- looking

  tip(job) { return this.all.get(job.refs.domain).state; }

  effective(job) {
    const domain = this.all.get(job.refs.domain);
    return ['center', 'application'].every((ref) => this.all.get(domain.refs[ref]).state === 'background-enabled');
  }

  center(job) { return this.all.get(this.all.get(job.refs.domain).refs.center); }

  signedIn(job) { return this.all.get(job.refs.session).state === 'signed-in'; }

  jobs(test) { return [...this.all.values()].filter((thing) => thing.machine === 'job' && test(thing)); }

  // ---- moving

  enter(thing, state) {
    const executing = (name) => (ABOVE[name] ?? []).includes('executing');
    const began = executing(state) && !executing(thing.state);
    const ended = !executing(state) && executing(thing.state);
    thing.state = state;
    this.happened.push({ at: this.now, instance: thing.name, entered: [...(ABOVE[state] ?? []), state] });
    if (thing.machine === 'interactive-session') {
      thing.due = state === 'signed-in' ? { expire: this.now + this.all.get(thing.refs.center).fields['interactive-duration'] } : {};
    }
    if (thing.machine === 'background-session') {
      thing.due = state === 'active' ? { expire: this.now + thing.fields.duration } : {};
    }
    if (thing.machine !== 'job') return;
    if (state === 'resumable-from-checkpoint') throw new Unimplemented('it cannot resume');
    if (began && thing.fields['max-runtime'] !== undefined) thing.due['max-runtime'] = this.now + thing.fields['max-runtime'];
    if (ended) thing.due = {};
    delete thing.due['grace-over'];
    if (state === 'grace-period') thing.due['grace-over'] = this.now + GRACE;
    const child = this.all.get(thing.refs.background);
    const wants = state === 'running-background'
      || (state === 'pending' && this.tip(thing) === 'tip-enabled' && this.effective(thing) && this.signedIn(thing));
    if (wants && child?.state !== 'active') {
      this.drop(thing);
      this.spawn(thing);
    }
    if (['running-interactive', 'running-role'].includes(state) || ended || state === 'stopped') this.drop(thing);
  }

  spawn(job) {
    job.made += 1;
    const name = `${job.name}.background${job.made > 1 ? `.${job.made}` : ''}`;
    const fields = { duration: this.center(job).fields['background-duration'] };
    job.refs.background = name;
    this.make([{ machine: 'background-session', instance: name, fields, refs: {} }]);
  }

  drop(job) {
    if (job.refs.background) this.all.delete(job.refs.background);
    job.refs.background = null;
  }

  // ---- what one thing does to others

  sessionEnded(session) {
    for (const job of this.jobs((each) => each.refs.session === session.name && each.state === 'running-interactive')) {
      this.enter(job, 'grace-period');
    }
  }

  backgroundEnded(session) {
    for (const job of this.jobs((each) => each.refs.background === session.name && each.state === 'running-background')) {
      this.enter(job, 'grace-period');
    }
  }

  switched() {
    for (const job of this.jobs((each) => each.state === 'running-background')) {
      if (this.tip(job) !== 'tip-disabled' || this.effective(job)) continue;
      if (this.signedIn(job)) this.enter(job, 'running-interactive');
      else {
        this.drop(job);
        this.enter(job, 'grace-period');
      }
    }
  }

  // ---- time

  advance(until) {
    for (;;) {
      const due = [];
      for (const thing of this.all.values()) {
        for (const [timer, at] of Object.entries(thing.due)) if (at <= until) due.push([at, thing, timer]);
      }
      if (due.length === 0) break;
      due.sort((one, other) => one[0] - other[0]);
      const [at, thing, timer] = due[0];
      this.now = at;
      delete thing.due[timer];
      if (timer === 'grace-over') this.enter(thing, 'failed');
      else if (timer === 'max-runtime') this.enter(thing, 'stopped');
      else {
        this.enter(thing, 'expired');
        if (thing.machine === 'background-session') this.backgroundEnded(thing);
        else this.sessionEnded(thing);
      }
    }
    this.now = until;
  }

  // ---- events; false: refused

  say({ instance, event, payload, by }) {
    const thing = this.all.get(instance);
    const may = ACTORS[event] ?? ['administrator'];
    if (by !== undefined && !may.includes(by)) return false;
    if (thing.machine === 'job') return this.tell(thing, event);
    if (event.startsWith('set-')) {
      const { duration } = payload;
      if (duration < 15 * MINUTE || duration > 90 * DAY || duration % MINUTE) return false;
      thing.fields[event.slice(4)] = duration;
      return true;
    }
    if (event === 'sign-in' && thing.state === 'signed-in') return true;
    if (event === 'view-console') return true;
    const to = {
      'enable-background': { 'background-disabled': 'background-enabled' },
      'disable-background': { 'background-enabled': 'background-disabled' },
      'enable-tip': { 'tip-never': 'tip-enabled', 'tip-disabled': 'tip-enabled' },
      'disable-tip': { 'tip-enabled': 'tip-disabled' },
      'sign-in': { 'signed-out': 'signed-in', revoked: 'signed-in', expired: 'signed-in' },
      'sign-out': { 'signed-in': 'signed-out' },
      revoke: { 'signed-in': 'revoked', active: 'revoked' },
      end: { active: 'revoked' },
    }[event]?.[thing.state];
    if (to === undefined) return false;
    this.enter(thing, to);
    if (thing.machine === 'background-session') this.backgroundEnded(thing);
    else if (thing.machine === 'interactive-session') {
      if (to !== 'signed-in') this.sessionEnded(thing);
    } else this.switched();
    return true;
  }

  tell(job, event) {
    const executing = (ABOVE[job.state] ?? []).includes('executing');
    if (['restart', 'write-checkpoint'].includes(event)) throw new Unimplemented('it has no checkpoints');
    if (event === 'start' && job.state === 'pending') {
      if (this.tip(job) !== 'tip-enabled') this.enter(job, 'running-role');
      else if (!this.signedIn(job)) return false;
      else this.enter(job, this.effective(job) ? 'running-background' : 'running-interactive');
      return true;
    }
    const to = { finish: 'completed', fail: 'failed', stop: 'stopped' }[event];
    if (to === undefined || !(executing || (event === 'stop' && job.state === 'pending'))) return false;
    this.enter(job, to);
    return true;
  }

  observe(accepted) {
    const instances = {};
    for (const [name, thing] of this.all) {
      const states = [...(ABOVE[thing.state] ?? []), thing.state];
      instances[name] = { machine: thing.machine, states, fields: thing.fields, refs: thing.refs, deadlines: thing.due };
    }
    const happened = this.happened;
    this.happened = [];
    return JSON.parse(JSON.stringify({ accepted, instances, happened }));
  }
}

function run({ readings, given, steps }) {
  const world = new World(readings);
  world.make(given);
  return steps.map((step) => {
    world.advance(step.at);
    let accepted = null;
    if (step.send) accepted = world.say(step.send);
    if (step.new) accepted = world.make([step.new]);
    return world.observe(accepted);
  });
}

function answer(message) {
  const { cmd, seq } = message;
  if (cmd === 'start') {
    const capabilities = ['state-import', 'clock', 'moments', 'deadlines'];
    return { seq, ready: true, implementation: { name: 'stranger', language: 'JavaScript' }, capabilities };
  }
  if (cmd !== 'run') return { seq };
  try {
    return { seq, observations: run(message.case) };
  } catch (error) {
    return error instanceof Unimplemented ? { seq, unimplemented: error.message } : { seq, error: String(error.stack) };
  }
}

if (process.argv.includes('serve')) {
  const server = require('node:http').createServer((request, response) => {
    let body = '';
    request.on('data', (part) => { body += part; });
    request.on('end', () => response.end(JSON.stringify(answer(JSON.parse(body)))));
  });
  server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`));
} else {
  const lines = require('node:readline').createInterface({ input: process.stdin });
  lines.on('line', (line) => console.log(JSON.stringify(answer(JSON.parse(line)))));
}
