// The walker: interprets the tables of a plan as outlast.run does, in the same fixed order. It knows no machine; whatever one may do is a row.
// `Macrostep` is one macrostep of one instance (SCXML Appendix D), `System` the instances, their queue and the time.

class Refused extends Error {}

class Fault extends Error {
  constructor(event, text, id) {
    super(text);
    Object.assign(this, { event, id });
  }
}

// ---- tables with what follows from them

class Machine {
  constructor(name, { fields = {}, refs = {}, events = {}, effects = {}, requires = [], states, rows = [], ...rest }) {
    Object.assign(this, { slots: [], watches: [], title: name, ...rest, name, fields, refs, events, effects, requires });
    this.fieldNames = Object.keys(fields);
    this.states = states.map((state, index) => ({
      kind: 'atomic', parent: -1, entry: [], exit: [], spawn: [], ...state, index, end: index + 1, title: state.title ?? state.name,
      children: [], histories: [], ancestors: [], rows: [], timers: [],
    }));
    for (const state of this.states) {
      for (let above = state.parent; above >= 0; above = this.states[above].parent) {
        state.ancestors.push(above);
        this.states[above].end = state.index + 1;
      }
      state.history = state.kind.endsWith('history');
      state.leaf = state.kind === 'atomic' || state.kind === 'final';
      if (state.parent >= 0) this.states[state.parent][state.history ? 'histories' : 'children'].push(state.index);
    }
    this.numbers = new Map(this.states.map((state) => [state.name, state.index]));
    this.rows = rows.flatMap(({ from, ...row }) => from.map((source) => ({
      on: [], do: [], to: [], because: [], ...row, source, key: from.length > 1 ? `${row.id}@${this.states[source].name}` : row.id,
    })));
    this.rows.forEach((row, index) => {
      Object.assign(row, { index, eventless: !row.timer && !row.on.length });
      this.states[row.source][row.timer ? 'timers' : 'rows'].push(row);
    });
  }

  inside(outer, inner) { return outer < inner && inner < this.states[outer].end; }

  names(active) { return active.map((index) => this.states[index].name); }

  innermost(active) { return this.names(active.filter((index) => this.states[index].leaf)); }

  hearing(event) { return this.rows.filter((row) => !row.timer && hears(row, event)); }
}

const PREPARED = new WeakMap();

// The machines of these tables by name, made once.
function prepared(tables) {
  if (!PREPARED.has(tables)) {
    PREPARED.set(tables, new Map(Object.entries(tables.machines).map(([name, data]) => [name, new Machine(name, data)])));
  }
  return PREPARED.get(tables);
}

// SCXML 3.12.1: the same tokens, a prefix of them, or `*`. Without an event: whether the row is eventless.
function hears(row, event) {
  if (event === null) return row.eventless;
  return row.on.some((descriptor) => {
    const plain = descriptor.replace(/\.\*$/, '').replace(/\.$/, '');
    return plain === '*' || plain === event || event.startsWith(`${plain}.`);
  });
}

// The id at the end of a chain of refs; null where a link is not bound.
function follow(refs, chain, look) {
  let id = refs.get(chain[0]);
  for (const name of chain.slice(1)) id = id === null ? null : look(id)?.refs.get(name) ?? null;
  return id !== null && look(id) ? id : null;
}

const ascending = (numbers) => [...numbers].sort((one, other) => one - other);
const byName = (map) => new Map([...map].sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0)));

// ---- one macrostep

class Macrostep {
  constructor(system, before, world) {
    Object.assign(this, { system, before, now: system.now, world, machine: system.machines.get(before.machine) });
    this.states = this.machine.states;
    this.active = new Set(before.active);
    this.values = [...before.values];
    this.refs = new Map(before.refs);
    this.history = new Map(before.history);
    this.timers = new Map(before.timers.map((timer) => [timer.row, timer]));
    this.delayed = [...before.delayed];
    this.turn = before.turn;
    this.children = new Map(before.children);
    this.spawned = new Map(before.spawned);
    this.running = !before.done;
    this.near = new Map();
    Object.assign(this, { internal: [], toSpawn: [], micro: [], effects: [], sent: [], made: [], stopped: [], faults: [], refusal: null });
    this.seen = { system, machine: this.machine, values: this.values, payload: {}, active: this.active, others: this.lookAround(), readings: system.readings };
    this.others = this.seen.others;
  }

  look = (id) => this.near.get(id) ?? this.world.get(id);

  // -- the whole story

  start(target) {
    const begin = target === undefined ? this.machine.begin : { to: [target] };
    this.guarded(begin.do);
    const entered = this.enter([[begin.to, -1]]);
    this.micro.push({ event: null, rows: [], exited: [], entered });
    this.complete();
    return this.step('start');
  }

  take(event) {
    const selected = this.select(event);
    const refusing = selected.filter((row) => row.refuse);
    if (selected.length) this.microstep(refusing.length ? refusing : selected, event.name); // what one region refuses, none takes
    else this.refusal = 'nothing listens for it here';
    if (refusing.length) this.refusal = refusing[0].refuse;
    this.complete();
    return this.step('event', event);
  }

  refuse(event, why) {
    this.refusal = why;
    return this.step('event', event);
  }

  // A timer is spent whether or not its guard holds.
  fire(row) {
    this.timers.delete(row.index);
    const event = { name: row.says, payload: {} };
    this.hear(event);
    if (this.enabled(row)) this.microstep([row], event.name);
    else this.refusal = 'its guard does not hold';
    this.complete();
    return { ...this.step('timer', event), timer: row };
  }

  stop() {
    if (this.running) this.finish();
    return this.step('stop');
  }

  step(cause, event = null) {
    const { before, now: at, micro, effects, sent, made, stopped, faults, refusal, others } = this;
    return { instance: before.id, machine: this.machine, before, after: this.snapshot(), at, cause, event, micro, effects, sent, made, stopped, faults, refusal, others };
  }

  snapshot() {
    return {
      ...this.before, active: ascending(this.active), values: [...this.values], refs: new Map(this.refs), history: byName(this.history),
      timers: [...this.timers.values()].sort((one, other) => one.row - other.row), delayed: [...this.delayed], turn: this.turn,
      children: byName(this.children), spawned: byName(this.spawned), done: !this.running,
    };
  }

  complete() {
    while (this.running) {
      let event = null;
      let selected = this.select(null);
      if (!selected.length) {
        if (!this.internal.length) this.spawnForStates();
        if (!this.internal.length) break;
        event = this.internal.shift();
        selected = this.select(event);
      }
      if (selected.length) this.microstep(selected, event && event.name);
      if (this.micro.length > this.system.limits.microsteps) {
        throw new Limit(`\`${this.before.id}\` does not come to rest after ${this.system.limits.microsteps} microsteps`);
      }
    }
    if (!this.running && !this.before.done) this.finish();
  }

  spawnForStates() {
    const waiting = ascending(this.toSpawn);
    this.toSpawn = [];
    for (const index of waiting) for (const spawn of this.states[index].spawn) this.guarded([spawn]);
  }

  // Exit every active state, innermost first, but keep the configuration for reading.
  finish() {
    this.running = false;
    for (const index of ascending(this.active).reverse()) this.leave(this.states[index]);
    this.timers.clear();
    this.delayed = [];
    for (const child of this.children.values()) if (!this.stopped.includes(child)) this.stopped.push(child);
    this.children.clear();
  }

  // -- choosing rows

  hear(event) { this.seen.payload = event ? event.payload : {}; }

  // Per leaf the first enabled row, inner states first.
  select(event) {
    if (event) this.hear(event);
    const found = new Map();
    for (const index of ascending(this.active)) {
      if (!this.states[index].leaf) continue;
      for (const above of [index, ...this.states[index].ancestors]) {
        const row = this.states[above].rows.find((each) => hears(each, event && event.name) && this.enabled(each));
        if (!row) continue;
        found.set(row.index, row);
        break;
      }
    }
    return this.withoutConflicts([...found.values()]);
  }

  enabled(row) { return holds(row.when, this.seen); }

  // A row preempts another if both exit a common state: the inner one, else the earlier.
  withoutConflicts(rows) {
    let kept = [];
    for (const row of rows) {
      const exits = this.exitSet(row);
      const rivals = kept.filter((other) => this.exitSet(other).some((index) => exits.includes(index)));
      if (!rivals.every((other) => this.machine.inside(other.source, row.source))) continue;
      kept = kept.filter((other) => !rivals.includes(other));
      kept.push(row);
    }
    return kept;
  }

  exitSet(row) {
    if (!row.to.length) return [];
    const domain = this.domain(row);
    return [...this.active].filter((index) => domain < 0 || this.machine.inside(domain, index));
  }

  // The innermost composite that a row with targets stays inside; -1 is the machine.
  domain(row) {
    const targets = this.effective(row.to);
    const around = (index) => this.states[index].kind === 'composite' && targets.every((target) => this.machine.inside(index, target));
    if (row.internal && around(row.source)) return row.source;
    return this.states[row.source].ancestors.find(around) ?? -1;
  }

  // Histories replaced by what they remember, or by their default.
  effective(targets) {
    const found = new Set();
    for (const target of targets) {
      const state = this.states[target];
      const remembered = this.history.get(state.name);
      const meant = !state.history ? [target] : remembered?.length ? remembered : this.effective(state.begin.to);
      for (const index of meant) found.add(index);
    }
    return [...found];
  }

  // -- carrying them out

  microstep(rows, event) {
    const exited = this.exit(rows);
    for (const row of rows) this.guarded(row.do);
    const entered = this.enter(rows.filter((row) => row.to.length).map((row) => [row.to, this.domain(row)]));
    this.micro.push({ event, rows, exited, entered });
  }

  exit(rows) {
    const leaving = ascending(new Set(rows.flatMap((row) => this.exitSet(row)))).reverse();
    for (const index of leaving) for (const number of this.states[index].histories) this.remember(this.states[number], this.states[index]);
    for (const index of leaving) {
      this.leave(this.states[index]);
      this.active.delete(index);
    }
    return leaving;
  }

  remember(history, parent) {
    const kept = history.kind === 'deep-history'
      ? [...this.active].filter((index) => this.machine.inside(parent.index, index) && this.states[index].leaf)
      : parent.children.filter((index) => this.active.has(index));
    this.history.set(history.name, ascending(kept));
  }

  leave(state) {
    for (const block of state.exit) this.guarded(block);
    for (const row of state.timers) this.timers.delete(row.index);
    if (this.toSpawn.includes(state.index)) this.toSpawn.splice(this.toSpawn.indexOf(state.index), 1);
    else for (const { spawn } of state.spawn) this.unbind(spawn);
  }

  enter(moves) {
    const entries = new Entries(this);
    for (const [targets, domain] of moves) {
      for (const target of targets) entries.descend(target);
      for (const target of this.effective(targets)) entries.ascend(target, domain);
    }
    const entered = ascending(entries.states);
    for (const index of entered) {
      const state = this.states[index];
      this.active.add(index);
      for (const block of state.entry) this.guarded(block);
      if (entries.byDefault.has(index)) this.guarded(state.begin.do);
      this.guarded(entries.historyActions.get(index));
      this.arm(state);
      if (state.spawn.length) this.toSpawn.push(index);
      if (state.kind === 'final') this.reached(state);
    }
    return entered;
  }

  // A final state was entered: its parent is done, and a parallel grandparent when all its regions are (SCXML 3.7).
  reached(final) {
    if (final.parent < 0) {
      this.running = false;
      return;
    }
    const parent = this.states[final.parent];
    this.internal.push({ name: `done.state.${parent.name}`, payload: {} });
    const above = this.states[parent.parent];
    if (above?.kind === 'parallel' && above.children.every((child) => this.isDone(child))) {
      this.internal.push({ name: `done.state.${above.name}`, payload: {} });
    }
  }

  isDone(index) {
    const { kind, children } = this.states[index];
    if (kind === 'composite') return children.some((child) => this.states[child].kind === 'final' && this.active.has(child));
    return kind === 'parallel' && children.every((child) => this.isDone(child));
  }

  arm(state) {
    for (const row of state.timers) {
      const delay = evaluate(row.delay, this.seen);
      if (delay === null) continue;
      const bound = Math.max(delay, 0);
      const latest = exact(this.now + bound);
      const due = row.timer === 'within' ? this.system.moment(this.before.id, row.key, this.now, bound) : latest;
      this.timers.set(row.index, { row: row.index, armed: this.now, due, latest });
    }
  }

  // -- actions

  // A block whose failure raises an error event instead of ending the run.
  guarded(block) {
    try {
      this.carryOut(block ?? []);
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      this.faults.push(fault.message);
      this.internal.push({ name: fault.event, payload: {}, id: fault.id });
    }
  }

  carryOut(block) {
    for (const action of block) {
      if ('set' in action) {
        const name = this.machine.fieldNames[action.set];
        this.values[action.set] = this.admitted(name, this.machine.fields[name], evaluate(action.to, this.seen));
      } else if ('emit' in action) {
        this.effects.push({ name: action.emit, payload: this.computed(action.with, this.machine.effects[action.emit].payload) });
      } else if ('raise' in action) {
        this.internal.push({ name: action.raise, payload: this.computed(action.with, this.machine.events[action.raise].payload) });
      } else if ('send' in action) {
        try {
          this.send(action);
        } catch (fault) {
          throw fault instanceof Fault ? new Fault(fault.event, fault.message, action.id) : fault;
        }
      } else if ('cancel' in action) {
        this.delayed = this.delayed.filter((item) => item.event.id !== action.cancel);
      } else if ('spawn' in action) {
        this.spawn(action);
      } else if ('stop' in action) {
        this.unbind(action.stop);
      } else if ('if' in action) {
        this.carryOut(holds(action.if, this.seen) ? action.then : action.else ?? []);
      } else {
        throw new Error(`no such action: ${JSON.stringify(action)}`);
      }
    }
  }

  admitted(name, field, value) {
    const wrong = objection(name, field, value);
    if (wrong) throw new Fault('error.execution', wrong);
    return value;
  }

  // The payload's values, with the defaults of those not given.
  computed(given = {}, declared = {}) {
    const values = new Map(Object.entries(given).map(([name, value]) => [name, evaluate(value, this.seen)]));
    return Object.fromEntries(Object.entries(declared).map(([name, field]) => (
      [name, this.admitted(name, field, values.has(name) ? values.get(name) : field.default ?? null)]
    )));
  }

  send({ send: name, to: ref, slot, after, says, with: given, id }) {
    const to = slot === null ? this.before.id : this.find(this.machine.slots[slot]);
    if (to === null) throw new Fault('error.communication', `nobody is bound to \`${ref}\``);
    const receiver = to === this.before.id ? this.machine : this.system.machines.get(this.look(to).machine);
    if (!Object.hasOwn(receiver.events, name)) throw new Fault('error.communication', `\`${to}\` knows no event called \`${name}\``);
    const event = { name, payload: this.computed(given, receiver.events[name].payload), sender: this.before.id, id };
    if (after === undefined) {
      this.sent.push({ to, event });
      return;
    }
    const delay = evaluate(after, this.seen);
    if (delay === null) throw new Fault('error.execution', `the delay \`${says}\` is absent`);
    this.delayed.push({ due: exact(this.now + Math.max(delay, 0)), turn: this.turn, to, event });
    this.turn += 1;
  }

  // -- children and refs

  find(chain) { return follow(this.refs, chain, this.look); }

  lookAround() {
    return this.machine.slots.map((chain) => {
      const id = this.find(chain);
      return id === null ? null : this.look(id);
    });
  }

  spawn({ spawn: ref, machine, refs = {}, with: given = {} }) {
    const fields = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, evaluate(value, this.seen)]));
    const mine = Object.fromEntries(Object.entries(refs).map(([name, slot]) => [name, slot === null ? this.before.id : this.find(this.machine.slots[slot])]));
    if ('parent' in this.system.machines.get(machine).refs && !('parent' in mine)) mine.parent = this.before.id;
    let count = (this.spawned.get(ref) ?? 0) + 1;
    const name = () => [this.before.id, ref, ...(count > 1 ? [count] : [])].join('.');
    while (this.look(name())) count += 1;
    const id = name();
    this.checkGenerations(id);
    let child;
    try {
      child = { ...this.system.blank({ machine, instance: id, fields, refs: mine }), parent: [this.before.id, ref] };
    } catch (refused) {
      throw refused instanceof Refused ? new Fault('error.execution', refused.message) : refused;
    }
    this.unbind(ref);
    this.spawned.set(ref, count);
    this.near.set(this.before.id, this.snapshot());
    const first = new Macrostep(this.system, child, { get: this.look }).start();
    this.made.push(first);
    this.children.set(ref, id);
    this.refs.set(ref, id);
    this.near.set(id, first.after);
    this.seen.others = this.lookAround();
  }

  checkGenerations(id) {
    let depth = 1;
    for (let above = this.before; above; above = above.parent && this.look(above.parent[0])) depth += 1;
    const { generations } = this.system.limits;
    if (depth > generations) throw new Limit(`children of children: more than ${generations} generations: ${id}`);
  }

  unbind(ref) {
    if (this.children.has(ref)) this.stopped.push(this.children.get(ref));
    this.children.delete(ref);
    if (this.refs.get(ref) === null) return;
    this.refs.set(ref, null);
    this.seen.others = this.lookAround();
  }
}

// Which states are entered, which of them by default, and whose history default acts (Appendix D, `computeEntrySet`).
class Entries {
  constructor(run) {
    Object.assign(this, { run, table: run.states, states: new Set(), byDefault: new Set(), historyActions: new Map() });
  }

  descend(index) {
    const state = this.table[index];
    if (state.history) {
      const remembered = this.run.history.get(state.name);
      if (!remembered?.length) this.historyActions.set(state.parent, state.begin.do);
      this.allOf(remembered?.length ? remembered : state.begin.to, state.parent);
      return;
    }
    this.states.add(index);
    if (state.kind === 'composite') {
      this.byDefault.add(index);
      this.allOf(state.begin.to, index);
    } else if (state.kind === 'parallel') {
      this.regions(state);
    }
  }

  allOf(targets, inside) {
    for (const target of targets) this.descend(target);
    for (const target of targets) this.ascend(target, inside);
  }

  // The ancestors of a state up to, not including, `inside`, unless they are active.
  ascend(index, inside) {
    for (const above of this.table[index].ancestors) {
      if (above === inside) return;
      if (this.run.active.has(above)) continue;
      this.states.add(above);
      if (this.table[above].kind === 'parallel') this.regions(this.table[above]);
    }
  }

  // Every region that nothing is entered in yet is entered by default.
  regions(parallel) {
    for (const child of parallel.children) {
      const met = this.states.has(child) || [...this.states].some((index) => this.run.machine.inside(child, index));
      if (!met) this.descend(child);
    }
  }
}

// ---- instances, queue and time: the order of everything that happens at one instant is that of outlast.run.system

const LATEST = (instance, key, armed, bound) => armed + bound;
const EARLIEST = (instance, key, armed) => armed;

class System {
  // `moment` says when a `within` timer fires.
  constructor(tables, { readings = {}, moment = LATEST, limits = {} } = {}) {
    Object.assign(this, { tables, moment, now: 0, world: new Map(), queue: [] });
    this.readings = { ...tables.readings, ...readings };
    this.limits = { ...tables.limits, ...limits };
    this.machines = prepared(tables);
  }

  machineBehind(machine, chain) {
    return chain.reduce((there, ref) => this.machines.get(there.refs[ref].machine), machine);
  }

  // An instance that has not entered its first state. Throws Refused.
  blank({ machine: name, instance: id, fields = {}, refs = {} }) {
    const machine = this.machines.get(name);
    const given = (field) => (Object.hasOwn(fields, field) ? fields[field] : machine.fields[field].default ?? null);
    const missing = machine.fieldNames.filter((field) => {
      const { optional } = machine.fields[field];
      return !optional && !('default' in machine.fields[field]) && (fields[field] ?? null) === null;
    });
    if (missing.length) throw new Refused(`\`${id}\` needs a value for ${quoted(missing)}`);
    const unbound = Object.keys(machine.refs).filter((ref) => !machine.refs[ref].optional && (refs[ref] ?? null) === null);
    if (unbound.length) throw new Refused(`\`${id}\` needs an instance for its ref ${quoted(unbound)}`);
    const values = machine.fieldNames.map(given);
    machine.fieldNames.forEach((field, index) => {
      const wrong = objection(field, machine.fields[field], values[index]);
      if (wrong) throw new Refused(`\`${id}\` cannot be made: ${wrong}`);
    });
    const seen = { system: this, machine, values, payload: {}, active: new Set(), others: machine.slots.map(() => null), readings: this.readings };
    const broken = machine.requires.find((row) => !holds(row.that, seen));
    if (broken) throw new Refused(`\`${id}\` cannot be made: ${broken.says}${cited(broken.because)}: needs \`${broken.text}\``);
    const bound = new Map(Object.keys(machine.refs).map((ref) => [ref, refs[ref] ?? null]));
    return {
      id, machine: name, active: [], values, refs: bound, history: new Map(), timers: [], delayed: [], turn: 0, children: new Map(),
      spawned: new Map(), parent: null, done: false,
    };
  }

  // -- what is called from outside; each answers with every step, in order, and happens wholly or not at all

  // Make instances: all are bound first, then each enters its first state (or `state`) in order, unobserved as a rule.
  begin(parts, silent = true) {
    return this.transaction((steps) => {
      for (const part of parts) {
        if (this.world.has(part.instance)) throw new Refused(`an instance called \`${part.instance}\` is already there`);
        this.world.set(part.instance, this.blank(part));
      }
      for (const { instance, machine, state } of parts) {
        this.caused = 0;
        const number = state === undefined ? undefined : this.machines.get(machine).numbers.get(state);
        this.apply(new Macrostep(this, this.world.get(instance), this.world).start(number), steps, silent);
        this.drain(steps);
      }
    });
  }

  make(part) { return this.begin([part], false); }

  // An event from outside; what is due by now happens before it. The step that answers it is marked `said`.
  send({ instance: id, event: name, payload = {}, by }) {
    const early = this.advance(this.now);
    const snapshot = this.world.get(id);
    if (!snapshot) throw new Refused(`no instance is called \`${id}\``);
    const event = this.said(snapshot, name, payload, by);
    const why = this.door(snapshot, event);
    const steps = this.transaction((found) => {
      if (why) {
        found.push(new Macrostep(this, snapshot, this.world).refuse(event, why));
      } else {
        this.queue.push({ to: id, event });
        this.drain(found);
      }
    });
    steps[0].said = true;
    return [...early, ...steps];
  }

  advance(until) {
    return this.transaction((steps) => {
      const turns = new Map();
      for (let due = this.due()[0]; due && due.at <= until; due = this.due()[0]) {
        if (due.at > this.now) turns.clear();
        this.now = due.at;
        turns.set(due.instance, (turns.get(due.instance) ?? 0) + 1);
        if (turns.get(due.instance) > this.limits.cascade) {
          throw new Limit(`\`${due.instance}\` does not come to rest: time stands still at its timers and sends`);
        }
        this.happen(due, steps);
      }
      this.now = exact(until);
    });
  }

  // What time alone will bring, soonest first: the instance made first, then timers before sends, then the order of the file or of sending.
  due() {
    const found = [...this.world.values()].flatMap((snapshot, order) => [
      ...snapshot.timers.map((timer) => ({ at: timer.due, order, late: 0, number: timer.row, instance: snapshot.id, timer })),
      ...snapshot.delayed.map((item) => ({ at: item.due, order, late: 1, number: item.turn, instance: snapshot.id, item })),
    ]);
    return found.sort((one, two) => one.at - two.at || one.order - two.order || one.late - two.late || one.number - two.number);
  }

  said(snapshot, name, given, by) {
    const { payload = {} } = this.machines.get(snapshot.machine).events[name];
    const values = Object.entries(payload).map(([key, field]) => [key, Object.hasOwn(given, key) ? given[key] : field.default ?? null]);
    return { name, payload: Object.fromEntries(values), by };
  }

  // Why an outside event may not come in, or null.
  door(snapshot, { name, payload, by }) {
    const declared = this.machines.get(snapshot.machine).events[name];
    if (by !== undefined && declared.by && !declared.by.includes(by)) {
      return `\`${by}\` may not send it, only ${quoted(declared.by)} may${cited(declared.because)}`;
    }
    for (const [key, field] of Object.entries(declared.payload ?? {})) {
      const wrong = objection(key, field, payload[key]);
      if (wrong) return wrong + cited(field.because ?? declared.because);
    }
    return null;
  }

  // -- one transaction

  transaction(work) {
    const { world, now } = this;
    const steps = [];
    this.world = new Map(world);
    this.caused = 0;
    try {
      work(steps);
      return steps;
    } catch (error) {
      Object.assign(this, { world, now });
      throw error;
    } finally {
      this.queue = [];
    }
  }

  record(step, steps) {
    this.caused += 1;
    if (this.caused > this.limits.cascade) throw new Limit(`one event led to more than ${this.limits.cascade} steps`);
    steps.push(step);
  }

  happen({ instance, timer, item }, steps) {
    this.caused = 0;
    const snapshot = this.world.get(instance);
    if (timer) {
      const row = this.machines.get(snapshot.machine).rows[timer.row];
      this.apply(new Macrostep(this, snapshot, this.world).fire(row), steps);
    } else {
      this.world.set(instance, { ...snapshot, delayed: snapshot.delayed.filter((each) => each !== item) });
      this.queue.push({ to: item.to, event: item.event });
    }
    this.drain(steps);
  }

  drain(steps) {
    while (this.queue.length) {
      const delivery = this.queue.shift();
      const receiver = this.world.get(delivery.to);
      if (!receiver || this.isOutdated(delivery)) continue; // stopped meanwhile: nobody is there to hear it, or to say it
      const run = new Macrostep(this, receiver, this.world);
      this.apply(receiver.done ? run.refuse(delivery.event, `\`${receiver.id}\` is done`) : run.take(delivery.event), steps);
    }
  }

  // Put a step into force: first steps of children, what it said, who observes it, last steps of children stopped.
  apply(step, steps, silent = false) {
    const { before, after, cause } = step;
    this.record(step, steps);
    this.world.set(after.id, after);
    const [parent, ref] = after.parent ?? [null];
    this.queue.push(...step.sent.filter(({ to }) => cause !== 'stop' || to !== parent)); // a parent does not hear what is being stopped (SCXML 6.4)
    for (const first of step.made) this.apply(first, steps);
    if (!silent) this.observe(step);
    if (after.done && !before.done && parent && cause !== 'stop') {
      const event = { name: `done.invoke.${ref}`, payload: {}, sender: after.id };
      if (this.listens(parent, event.name)) this.queue.push({ to: parent, event });
    }
    for (const child of step.stopped) {
      if (!this.world.has(child)) continue;
      this.apply(new Macrostep(this, this.world.get(child), this.world).stop(), steps);
      this.world.delete(child);
    }
  }

  // Whether a child is reported done that another has since replaced.
  isOutdated({ to, event: { name, sender } }) {
    if (!name.startsWith('done.invoke.') || this.world.has(sender)) return false;
    return this.world.get(to).children.has(name.slice('done.invoke.'.length));
  }

  listens(id, name) {
    const there = this.world.get(id);
    return Boolean(there) && this.machines.get(there.machine).rows.some((row) => hears(row, name));
  }

  // Watchers in the order they were made, for each state entered.
  observe({ micro, machine, after }) {
    for (const index of micro.flatMap(({ entered }) => entered)) {
      const state = machine.states[index].name;
      for (const watcher of this.world.values()) {
        for (const [chain, watched] of this.machines.get(watcher.machine).watches) {
          if (watched !== state || this.machineBehind(this.machines.get(watcher.machine), chain) !== machine) continue;
          if (follow(watcher.refs, chain, (id) => this.world.get(id)) !== after.id) continue;
          this.queue.push({ to: watcher.id, event: { name: [...chain, state].join('.'), payload: {}, sender: after.id } });
        }
      }
    }
  }
}
