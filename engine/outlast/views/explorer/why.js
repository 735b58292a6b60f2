// Why, and why not: every row that listens for an event, with its verdict. As in outlast.run.explanation; computed only when asked for.

const done = (id) => `\`${id}\` is done`;

// What would happen to an event now, without it happening.
function explained(system, id, name, payload = {}, by = undefined) {
  const snapshot = system.world.get(id);
  const event = system.said(snapshot, name, payload, by);
  const run = new Macrostep(system, snapshot, system.world);
  run.hear(event);
  const stopped = system.door(snapshot, event);
  const candidates = stopped ? [] : judged(run, run.machine.hearing(name));
  const refusal = stopped ?? refusalOf(run, event);
  return { instance: id, event: name, refusal, candidates };
}

// Why a step went the way it went, from what the step kept.
function explainedStep(system, { before, event, timer, others, refusal }) {
  const run = new Macrostep(system, before, system.world);
  run.seen.others = others;
  run.hear(event);
  const rows = timer ? [timer] : event ? run.machine.hearing(event.name) : [];
  const stopped = event && Object.hasOwn(run.machine.events, event.name) && system.door(before, event);
  return { instance: before.id, event: event?.name, refusal, candidates: stopped && stopped === refusal ? [] : judged(run, rows) };
}

function refusalOf(run, event) {
  if (!run.running) return done(run.before.id);
  const selected = run.select(event);
  if (!selected.length) return 'nothing listens for it here';
  return selected.find((row) => row.refuse)?.refuse ?? null;
}

// Every row with its verdict, inner states first, then in the order of the file.
function judged(run, rows) {
  const chosen = new Map();
  const verdicts = new Map();
  for (const index of run.running ? ascending(run.active) : []) {
    if (!run.states[index].leaf) continue;
    let first = null;
    for (const above of [index, ...run.states[index].ancestors]) {
      for (const row of rows.filter((each) => each.source === above)) {
        const leaves = account(row.when, run.seen);
        if (!run.enabled(row)) {
          if (!verdicts.has(row)) verdicts.set(row, { verdict: 'guard-false', leaves });
        } else if (!first) {
          first = row;
          chosen.set(row.index, row);
          verdicts.set(row, { verdict: row.refuse ? 'refuses' : 'taken', leaves });
        } else if (!chosen.has(row.index)) {
          verdicts.set(row, { verdict: 'later', by: first.id, leaves });
        }
      }
    }
  }
  const all = [...chosen.values()];
  const kept = run.withoutConflicts(all);
  for (const row of all.filter((each) => !kept.includes(each))) {
    const exits = run.exitSet(row);
    const rival = [...kept, ...all].find((other) => other !== row && run.exitSet(other).some((index) => exits.includes(index)));
    verdicts.set(row, { ...verdicts.get(row), verdict: 'preempted', by: rival.id });
  }
  const refusing = kept.find((row) => row.refuse);
  for (const row of refusing ? kept : []) {
    if (!row.refuse) verdicts.set(row, { ...verdicts.get(row), verdict: 'preempted', by: refusing.id });
  }
  const depth = (row) => run.states[row.source].ancestors.length;
  const ordered = [...rows].sort((one, two) => (
    verdicts.has(two) - verdicts.has(one) || depth(two) - depth(one) || one.index - two.index
  ));
  return ordered.map((row) => ({
    row, id: row.id, source: run.states[row.source], leaves: [], ...(verdicts.get(row) ?? { verdict: 'wrong-source' }),
  }));
}

function candidateWords({ verdict, source, leaves, by }) {
  switch (verdict) {
    case 'taken': return 'taken';
    case 'refuses': return 'refuses the event';
    case 'wrong-source': return `\`${source.name}\` is not active`;
    case 'guard-false': return leaves.map(leafWords).join('; ');
    case 'later': return `\`${by}\` comes first`;
    default: return `preempted by \`${by}\``;
  }
}

// Every event the outside could say now and have accepted. `depends`: it hangs on the payload.
function offers(system, id) {
  const snapshot = system.world.get(id);
  if (snapshot.done) return [];
  const { events } = system.machines.get(snapshot.machine);
  return Object.entries(events).filter(([, event]) => !event.internal).flatMap(([name, declared]) => {
    const run = new Macrostep(system, snapshot, system.world);
    const certain = run.select({ name, payload: {} });
    const active = run.machine.hearing(name).filter((row) => run.active.has(row.source));
    const hanging = active.filter((row) => readsPayload(row.when, run.machine) && couldHold(row.when, run.seen));
    const accepted = certain.length && !certain.some((row) => row.refuse);
    if (!accepted && !hanging.some((row) => !row.refuse)) return [];
    const rows = [...new Set([...certain, ...hanging])].filter((row) => !row.refuse);
    return [{ event: name, rows, declared, depends: hanging.length > 0 }];
  });
}

function readsPayload(guard, machine) {
  if (guard === undefined) return false;
  if (typeof guard === 'number') return mentionsPayload(machine.leaves[guard][1]);
  return guard.slice(1).some((part) => readsPayload(part, machine));
}

const mentionsPayload = (node) => Array.isArray(node) && (node[0] === 'payload' || node.slice(1).some(mentionsPayload));

// Whether the parts of a guard that do not read the payload hold.
function couldHold(guard, seen) {
  const parts = Array.isArray(guard) && guard[0] === 'all' ? guard.slice(1) : [guard];
  return parts.filter((part) => !readsPayload(part, seen.machine)).every((part) => holds(part, seen));
}
