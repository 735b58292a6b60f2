// Where the page takes what it shows from. A source has `view()`, plain data and words; `say`, `wait` and what else it can do; and calls
// `onchange`. This one walks: its history is what was said so far, and every position of it is walked to from the beginning.

const POLICIES = { latest: LATEST, earliest: EARLIEST };

class LocalSource {
  constructor(tables, stories) {
    Object.assign(this, { tables, stories, machines: prepared(tables), onchange: () => {} });
    this.tell(stories[0]?.name ?? null, true);
  }

  // ---- what can be done

  // Begin a story: all of its steps lie ahead.
  tell(name, quietly = false) {
    this.story = this.stories.find((story) => story.name === name) ?? this.stories[0];
    Object.assign(this, { kept: this.story.steps.length, own: [], position: 0 });
    if (quietly) Object.assign(this, { readings: { ...this.tables.readings }, policy: 'latest' });
    this.walk();
  }

  get history() { return [...this.story.steps.slice(0, this.kept), ...this.own]; }

  say(instance, event, payload, by) { this.add({ at: this.now, send: { instance, event, payload, ...(by && { by }) } }); }

  wait(at) { this.add({ at }); }

  // What happens within a time happens now; where something was said at this instant already, a second later.
  happen(instance, row, armed, latest) {
    const late = armed < this.now && this.history.slice(0, this.position).some(({ at, send, new: part }) => at === this.now && (send || part));
    this.add({ at: late ? Math.min(this.now + 1e6, latest) : this.now, happen: [instance, row] });
  }

  // What lay ahead is dropped.
  add(step) {
    const before = this.history.slice(0, this.position);
    this.kept = Math.min(this.kept, this.position);
    this.own = [...before.slice(this.kept), step];
    this.position += 1;
    this.walk();
  }

  go(position) {
    this.position = Math.max(0, Math.min(position, this.history.length));
    this.walk();
  }

  // The same history under another reading.
  read(assumption, reading) {
    this.readings = { ...this.readings, [assumption]: reading };
    this.walk();
  }

  resolve(policy) {
    this.policy = policy;
    this.walk();
  }

  // ---- links

  get link() {
    const changed = Object.entries(this.readings).filter(([name, reading]) => this.tables.readings[name] !== reading);
    const said = this.own.map(({ at, send, happen = [] }) => [
      at, ...(send ? [send.instance, send.event, send.by ?? '', JSON.stringify(send.payload)] : happen),
    ].map(encodeURIComponent).join(','));
    const parts = { story: this.story.name, kept: this.kept, said: said.join(';'), at: this.position };
    if (changed.length) parts.read = changed.map(([name, reading]) => `${name}:${reading}`).join(',');
    if (this.policy !== 'latest') parts.within = this.policy;
    if (this.kept === this.story.steps.length) delete parts.kept;
    if (!said.length) delete parts.said;
    return Object.entries(parts).map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&');
  }

  // Land where a link leads; what it says that does not exist here is left out. False where it is none of ours.
  follow(link) {
    const parts = new Map(link.split('&').map((part) => part.split('=')).map(([key, value = '']) => [key, text(value)]));
    const story = this.stories.find((each) => each.name === parts.get('story'));
    if (!story) return false;
    const number = (name, most) => Math.max(0, Math.min(Number.parseInt(parts.get(name) ?? most, 10) || 0, most));
    const own = (parts.get('said') ?? '').split(';').filter(Boolean).flatMap((said) => this.saidIn(said.split(',').map(text)));
    const wanted = (parts.get('read') ?? '').split(',').map((pair) => pair.split(':'));
    const known = wanted.filter(([name, reading]) => Object.hasOwn(this.tables.assumptions?.[name]?.readings ?? {}, reading));
    const kept = number('kept', story.steps.length);
    const policy = Object.hasOwn(POLICIES, parts.get('within') ?? '') ? parts.get('within') : 'latest';
    Object.assign(this, { story, own, kept, policy, position: number('at', kept + own.length) });
    this.readings = { ...this.tables.readings, ...Object.fromEntries(known) };
    this.walk();
    return true;
  }

  saidIn([at, instance, event, by, payload]) {
    const instant = Number(at);
    if (!Number.isSafeInteger(instant)) return [];
    if (instance === undefined) return [{ at: instant }];
    if (by === undefined) return [{ at: instant, happen: [instance, event] }];
    try {
      return [{ at: instant, send: { instance, event, payload: JSON.parse(payload), ...(by && { by }) } }];
    } catch {
      return [];
    }
  }

  // ---- walking

  walk() {
    Object.assign(this, this.walked(this.readings));
    this.now = this.system.now;
    this.onchange();
  }

  // The system at the position under some readings, and what happened at each step on the way.
  walked(readings) {
    const applies = ({ under = {} }) => Object.entries(under).every(([name, reading]) => readings[name] === reading);
    const history = this.history.filter(applies);
    const system = new System(this.tables, { readings });
    const log = [];
    system.moment = chosen(history, POLICIES[this.policy]);
    const note = (step, work) => {
      const entry = { step, steps: [], problem: null };
      log.push(entry);
      try {
        work(entry);
      } catch (error) {
        if (!(error instanceof Limit || error instanceof Refused)) throw error;
        entry.problem = error.message;
      }
    };
    note(null, (entry) => entry.steps.push(...system.begin(this.story.given)));
    for (const step of this.history.slice(0, this.position)) {
      note(step, (entry) => {
        entry.skipped = !applies(step);
        if (entry.skipped) return;
        entry.steps.push(...system.advance(Math.max(step.at, system.now)));
        system.moment = chosen(history.slice(history.indexOf(step) + 1), POLICIES[this.policy]);
        if (step.send) entry.steps.push(...this.sent(system, step.send));
        if (step.new) entry.steps.push(...system.make(step.new));
        entry.steps.push(...system.advance(system.now));
        if (step.happen) this.check(step, log);
      });
    }
    return { system, log };
  }

  // Whether the row did go off at its moment.
  check({ at, happen: [id, name] }, log) {
    const steps = log.flatMap((entry) => entry.steps);
    const met = steps.some(({ at: then, instance, timer }) => then === at && instance === id && timer?.id === name);
    if (!met) throw new Refused(`\`${name}\` of \`${id}\` does not happen then`);
  }

  sent(system, send) {
    const there = system.world.get(send.instance);
    const declared = there && this.machines.get(there.machine).events;
    if (!there) throw new Refused(`no instance is called \`${send.instance}\``);
    if (!Object.hasOwn(declared, send.event) || declared[send.event].internal) {
      throw new Refused(`\`${send.instance}\` knows no event called \`${send.event}\``);
    }
    return system.send(send);
  }

  // ---- looking

  view() {
    const { system, log } = this;
    const snapshots = [...system.world.values()];
    const can = snapshots.flatMap((each) => this.possible(each));
    return {
      now: this.now, position: this.position, length: this.history.length, story: this.story, readings: this.readings, policy: this.policy,
      instances: snapshots.map((each) => this.instance(each)),
      can,
      cannot: snapshots.flatMap((each) => this.impossible(each, can)),
      pending: system.due().map((due) => this.pending(due)),
      log: log.map((entry) => this.entry(entry)),
      ahead: this.history.slice(this.position).map((step) => stepWords(step)),
      differs: this.differing(),
    };
  }

  instance({ id, machine: name, active, values, refs, done: ended }) {
    const machine = this.machines.get(name);
    const fields = machine.fieldNames.map((field, index) => [field, shown(values[index], machine.fields[field].type)]);
    const states = active.filter((index) => machine.states[index].leaf).map((index) => machine.states[index]);
    return {
      id, machine: name, title: machine.title, active: machine.names(active), done: ended, fields, refs: [...refs].map(([ref, to]) => [ref, to ?? 'absent']),
      states: states.map(({ name: state, title, role, about }) => ({ name: state, title, role, about })),
    };
  }

  possible({ id, machine: name }) {
    const machine = this.machines.get(name);
    return offers(this.system, id).map(({ event, rows, declared, depends }) => ({
      instance: id, event, about: declared.about ?? '', by: declared.by ?? [], payload: declared.payload ?? {}, depends,
      rows: [...new Set(rows.map((row) => row.id))],
      leads: [...new Set(rows.map((row) => row.to.map((index) => machine.states[index].title).join(' and ')))],
    }));
  }

  impossible({ id, machine: name }, can) {
    const { events } = this.machines.get(name);
    const open = new Set(can.filter((each) => each.instance === id).map((each) => each.event));
    return Object.entries(events).filter(([event, { internal }]) => !internal && !open.has(event)).map(([event, declared]) => {
      const payload = Object.fromEntries(Object.entries(declared.payload ?? {}).map(([key, field]) => [key, sample(field)]));
      const { refusal, candidates } = explained(this.system, id, event, payload);
      return {
        instance: id, event, about: declared.about ?? '', by: declared.by ?? [], payload: declared.payload ?? {}, refusal,
        reasons: candidates.filter(({ verdict }) => verdict !== 'wrong-source').map(reason),
        elsewhere: [...new Set(candidates.filter(({ verdict }) => verdict === 'wrong-source').map(({ source }) => source.title))],
      };
    });
  }

  pending({ at, instance, timer, item }) {
    const row = timer && this.machines.get(this.system.world.get(instance).machine).rows[timer.row];
    const what = row ? row.id : `${item.event.name} to ${item.to}`;
    const armed = timer?.armed ?? at;
    return { at, instance, what, says: row?.says ?? 'on its way', within: row?.timer === 'within', armed, latest: timer?.latest ?? at };
  }

  entry({ step, steps, problem, skipped }) {
    return { words: step ? stepWords(step) : null, skipped, at: steps.at(-1)?.at ?? step?.at ?? 0, problem, steps: steps.map((each) => this.told(each)) };
  }

  told(step) {
    const { machine, micro, cause, event, timer, at, instance, effects, refusal, faults } = step;
    const rows = micro.flatMap((each) => each.rows);
    const entered = micro.flatMap((each) => each.entered).filter((index) => machine.states[index].leaf);
    return {
      at, instance, machine: machine.name, cause, event: event?.name, by: event?.by, timer: timer?.id, refusal, faults,
      rows: [...new Map(rows.map((row) => [row.id, { id: row.id, about: row.about ?? '', because: row.because }])).values()],
      entered: entered.map((index) => ({ name: machine.states[index].name, title: machine.states[index].title })),
      effects: effects.map(({ name, payload }) => ({ name, values: this.payloadWords(machine.effects[name].payload, payload) })),
      reasons: refusal ? explainedStep(this.system, step).candidates.filter(({ verdict }) => verdict !== 'wrong-source').map(reason) : [],
    };
  }

  payloadWords(declared = {}, payload = {}) {
    return Object.entries(payload).map(([name, value]) => `${name} ${shown(value, declared[name].type)}`);
  }

  // Readings under which the same history leads elsewhere: [assumption, reading, what differs].
  differing() {
    return Object.entries(this.tables.assumptions ?? {}).flatMap(([name, { readings }]) => (
      Object.keys(readings).filter((reading) => reading !== this.readings[name]).flatMap((reading) => {
        const other = this.walked({ ...this.readings, [name]: reading }).system;
        const words = differences(this, this.system, other);
        return words.length ? [[name, reading, words]] : [];
      })
    ));
  }
}

// When a `within` timer fires: at a moment that is known, up to the next thing said at the same instant; else by the policy.
function chosen(ahead, policy) {
  const said = new Set();
  const known = ahead.flatMap(({ at, happen, send, new: part }) => {
    if (send || part) said.add(at);
    return happen && !said.has(at) ? [[...happen, at]] : [];
  });
  return (instance, key, armed, bound) => {
    const row = key.split('@')[0];
    const [, , at] = known.find(([who, name, then]) => who === instance && name === row && armed <= then && then <= armed + bound) ?? [];
    return at ?? policy(instance, key, armed, bound);
  };
}

function text(encoded) {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return '';
  }
}

// A value to ask with, where nobody gave one.
function sample({ type, default: given, min, optional }) {
  if (given !== undefined) return given;
  if (optional) return null;
  if (Array.isArray(type)) return type[0];
  return { bool: false, string: '' }[type] ?? min ?? 0;
}

function reason({ id, verdict, source, leaves, by, row }) {
  const decisive = verdict === 'guard-false' ? leaves.map(({ text: said, holds: verdictOf, saw }) => (
    { needs: `${verdictOf ? 'not ' : ''}${said}`, saw: sawWords(saw) }
  )) : [];
  const words = { refuses: row.refuse, later: `\`${by}\` comes first`, preempted: `preempted by \`${by}\`` }[verdict] ?? '';
  return { id, verdict, source: source.title, words, leaves: decisive, because: row.because };
}

function stepWords({ at, send, new: part, happen }) {
  if (happen) return { at, text: `${happen[0]}: ${happen[1]} happens` };
  if (part) return { at, text: `${part.instance} begins` };
  if (!send) return { at, text: 'time passes' };
  return { at, text: `${send.instance}: ${send.event}${send.by ? ' by ' : ''}${send.by ?? ''}` };
}

function differences(source, here, there) {
  const ids = new Set([...here.world.keys(), ...there.world.keys()]);
  return [...ids].flatMap((id) => {
    const [one, other] = [here, there].map((system) => {
      const snapshot = system.world.get(id);
      return snapshot ? source.instance(snapshot) : null;
    });
    const words = (instance) => (instance ? instance.states.map(({ title }) => title).join(' + ') : 'not there');
    if (words(one) !== words(other)) return [`${id}: ${words(other)} instead of ${words(one)}`];
    return JSON.stringify(one) === JSON.stringify(other) ? [] : [`${id}: other values`];
  });
}

// A story as the page carries it, written out: parts by their number, each [machine, instance, state, fields, refs]; steps as
// [at, instance or part or [instance, row] of what happens then, event, actor, payload, under].
function told({ given, steps, ...story }, short) {
  const parts = short.map(([machine, instance, state, fields, refs]) => ({
    machine, instance, state: state ?? undefined, fields: fields ?? {}, refs: refs ?? {},
  }));
  return {
    ...story,
    given: given.map((number) => parts[number]),
    steps: steps.map(([at, what, event, by, payload, under]) => ({
      at, under: under ?? {}, ...(typeof what === 'number' && { new: parts[what] }), ...(Array.isArray(what) && { happen: what }),
      ...(typeof what === 'string' && { send: { instance: what, event, payload: payload ?? {}, ...(by && { by }) } }),
    })),
  };
}
