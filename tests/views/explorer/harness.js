// Stands behind the walker's own files: answers one JSON object a line, so that what it does can be compared with what the engine does.

const words = ({ refusal, candidates }) => [refusal, ...candidates.map((each) => `${each.id}: ${candidateWords(each)}`)];

function toldStep({ instance, cause, event, timer, micro, machine, effects, refusal, faults }) {
  return {
    instance, cause, event: event?.name ?? null, timer: timer?.key ?? null, refusal, faults,
    micro: micro.map(({ event: name, rows, exited, entered }) => [name, rows.map((row) => row.key), machine.names(exited), machine.names(entered)]),
    effects: effects.map(({ name, payload }) => [name, payload]),
  };
}

function state(system, it) {
  const machine = system.machines.get(it.machine);
  return {
    id: it.id, machine: it.machine, configuration: machine.names(it.active), values: it.values, refs: Object.fromEntries(it.refs),
    history: Object.fromEntries([...it.history].map(([name, kept]) => [name, machine.names(kept)])),
    timers: it.timers.map(({ row, armed, due, latest }) => [machine.rows[row].key, armed, due, latest]),
    delayed: it.delayed.map(({ due, turn, to, event }) => [due, turn, to, event.name, event.payload]),
    children: Object.fromEntries(it.children), spawned: Object.fromEntries(it.spawned), parent: it.parent, done: it.done,
  };
}

function asked(system) {
  return [...system.world.values()].map((it) => ({
    id: it.id,
    offers: offers(system, it.id).map(({ event, rows, depends }) => [event, [...new Set(rows.map((row) => row.id))], depends]),
    why: Object.entries(system.machines.get(it.machine).events).filter(([, { internal }]) => !internal)
      .map(([event]) => [event, words(explained(system, it.id, event))]),
  }));
}

function acted(system, input) {
  try {
    const [[verb, given]] = Object.entries(input);
    const early = Number.isInteger(given.at) ? system.advance(given.at) : [];
    const steps = [...early, ...system[verb](given)];
    return { steps: steps.map(toldStep), refused: steps.filter((step) => step.refusal).map((step) => words(explainedStep(system, step))) };
  } catch (error) {
    if (!(error instanceof Limit || error instanceof Refused)) throw error;
    return { error: error.constructor.name };
  }
}

// What the walker does with inputs, and what it says in the end of all that could be said.
function run({ tables, readings, policy, limits, inputs }) {
  const system = new System(tables, { readings, limits, moment: POLICIES[policy] });
  const answers = inputs.map((input) => {
    const done = acted(system, input);
    return { ...done, now: system.now, world: [...system.world.values()].map((it) => state(system, it)) };
  });
  return [...answers, asked(system)];
}

// What the page's source makes of a story, to its end.
function story({ tables, story: told, readings, policy }) {
  const source = new LocalSource(tables, [told]);
  Object.assign(source, { readings: { ...source.readings, ...readings }, policy });
  source.go(told.steps.length);
  const view = source.view();
  return {
    steps: source.log.flatMap(({ steps }) => steps).map(toldStep), problems: source.log.flatMap(({ problem }) => problem ?? []),
    shown: view.instances.map(({ id, active }) => [id, active]), link: source.link,
  };
}

const lines = require('node:readline').createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const asking = JSON.parse(line);
  process.stdout.write(`${JSON.stringify({ run, story }[asking.what](asking))}\n`);
});
