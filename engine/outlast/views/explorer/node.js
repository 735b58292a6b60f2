// The walker as a program: answers the cases of conformance tables, one JSON object a line (docs/conformance.md), so that
// `outlast test TABLE --against "cmd:node THIS-FILE"` holds it to them. Whoever requires this file gets the walker and the tables.

// ---- `seed:N`: a moment drawn with BLAKE2b (RFC 7693), as in outlast.run.terms. Node's own has no short digests.

const WORD = (1n << 64n) - 1n;
const START = [
  0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n,
];
const ORDER = [
  '0123456789abcdef', 'ea489fd61c02b753', 'b8c052fdae367194', '7931dcbe265a40f8', '905724afe1bc683d',
  '2c6a0b834d75fe19', 'c51fed4a0763928b', 'db7ec13950f4862a', '6fe9b308c2d714a5', 'a2847615fb9e3cd0',
].map((row) => [...row].map((digit) => parseInt(digit, 16)));
const LANES = ['048c', '159d', '26ae', '37bf', '05af', '16bc', '278d', '349e'].map((row) => [...row].map((digit) => parseInt(digit, 16)));

function blake2b(bytes, length) {
  const state = [...START];
  state[0] ^= 0x01010000n ^ BigInt(length);
  const blocks = Math.max(1, Math.ceil(bytes.length / 128));
  const padded = Buffer.concat([bytes, Buffer.alloc(blocks * 128 - bytes.length)]);
  for (let block = 0; block < blocks; block += 1) {
    const last = block === blocks - 1;
    const message = ORDER[0].map((word) => padded.readBigUInt64LE(block * 128 + 8 * word));
    const v = [...state, ...START];
    v[12] ^= BigInt(last ? bytes.length : (block + 1) * 128);
    if (last) v[14] ^= WORD;
    const turn = (word, bits) => ((word >> bits) | (word << (64n - bits))) & WORD;
    for (let round = 0; round < 12; round += 1) {
      LANES.forEach(([a, b, c, d], lane) => {
        for (const [half, one, two] of [[0, 32n, 24n], [1, 16n, 63n]]) {
          v[a] = (v[a] + v[b] + message[ORDER[round % 10][2 * lane + half]]) & WORD;
          v[d] = turn(v[d] ^ v[a], one);
          v[c] = (v[c] + v[d]) & WORD;
          v[b] = turn(v[b] ^ v[c], two);
        }
      });
    }
    state.forEach((word, index) => { state[index] = word ^ v[index] ^ v[index + 8]; });
  }
  const digest = Buffer.alloc(64);
  state.forEach((word, index) => digest.writeBigUInt64LE(word, 8 * index));
  return digest.subarray(0, length);
}

const drawn = (seed) => (instance, key, armed, bound) => {
  const text = Buffer.from(`${seed}|${instance}|${key}|${armed}`, 'utf8');
  return armed + Number(blake2b(text, 8).readBigUInt64BE() % BigInt(bound + 1));
};

// What a `within` timer armed from now on may stand for (outlast.run.terms): the moments told in the steps ahead, up to the next thing said at the same instant.
function told(ahead) {
  const said = new Set();
  return ahead.flatMap(({ at, happen, send, new: part }) => {
    if (send || part) said.add(at);
    return happen && !said.has(at) ? [{ at, ...happen }] : [];
  });
}

// ---- the protocol

function moments(bounds) {
  if (bounds === 'earliest') return EARLIEST;
  return bounds?.startsWith('seed:') ? drawn(bounds) : LATEST;
}

function happening({ at, instance, machine, micro, effects }) {
  const rows = micro.flatMap((each) => each.rows);
  return {
    at, instance, transitions: rows.map((row) => row.id), clauses: [...new Set(rows.flatMap((row) => row.because))],
    entered: machine.names(micro.flatMap((each) => each.entered)), effects,
  };
}

function seen(system, { machine: name, active, values, refs, timers }) {
  const machine = system.machines.get(name);
  return {
    machine: name, states: machine.names(active), fields: Object.fromEntries(machine.fieldNames.map((field, index) => [field, values[index]])),
    refs: Object.fromEntries(refs), deadlines: Object.fromEntries(timers.map(({ row, latest }) => [machine.rows[row].id, latest])),
  };
}

function observations({ system: name, readings, bounds, given, steps }) {
  if (name !== TABLES.system) throw new Refused(`this is ${TABLES.system}, not ${name}`);
  let chosen = told(steps);
  const usual = moments(bounds);
  const stood = new Set(); // moments a timer has stood for: the one it arms when it goes off does not stand for the same
  const moment = (instance, key, armed, bound) => {
    const row = key.split('@')[0];
    const found = chosen.find(({ instance: id, row: name, at }) => id === instance && name === row && armed <= at && at <= armed + bound
      && !(armed === at && stood.has(`${id} ${name} ${at}`)));
    if (found) stood.add(`${instance} ${row} ${found.at}`);
    return found ? found.at : usual(instance, key, armed, bound);
  };
  const system = new System(TABLES, { readings, moment });
  const gone = [];
  system.begin(given);
  return steps.map((step, index) => {
    const happened = system.advance(step.at);
    gone.push(...happened);
    if (step.send || step.new || step.happen) chosen = told(steps.slice(index + 1));
    let accepted = null;
    let refusal = null;
    if (step.happen) {
      const { instance, row } = step.happen;
      accepted = gone.some((each) => each.at === step.at && each.instance === instance && each.timer?.id === row);
    } else if (step.send) {
      const said = system.send(step.send);
      ({ refusal } = said.find((each) => each.said));
      accepted = refusal === null;
      happened.push(...said);
    } else if (step.new) {
      try {
        happened.push(...system.begin([step.new]));
        accepted = true;
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        [accepted, refusal] = [false, error.message];
      }
    }
    const after = system.advance(step.at);
    gone.push(...after);
    happened.push(...after);
    const instances = Object.fromEntries([...system.world.values()].map((each) => [each.id, seen(system, each)]));
    return { accepted, refusal, instances, happened: happened.map(happening) };
  });
}

function answer({ cmd, seq, case: told }) {
  if (cmd === 'start') {
    const capabilities = ['state-import', 'clock', 'effects', 'deadlines', 'moments', 'readings', 'bounds', 'happen', 'why'];
    return { seq, ready: true, implementation: { name: 'walker', language: 'JavaScript' }, capabilities };
  }
  if (cmd !== 'run') return { seq };
  try {
    return { seq, observations: observations(told) };
  } catch (error) {
    return error instanceof Limit ? { seq, unimplemented: error.message } : { seq, error: String(error.stack) };
  }
}

if (require.main === module) {
  const lines = require('node:readline').createInterface({ input: process.stdin });
  lines.on('line', (line) => process.stdout.write(`${JSON.stringify(answer(JSON.parse(line)))}\n`));
}

module.exports = { TABLES, System, LATEST, EARLIEST, drawn, explained, offers };
