// Values in words, and expressions: what a guard reads, and why it holds or fails. As in outlast.moments, outlast.expr and Field.objection.
// A value is true, false, an integer, a text, or null for what is absent. Durations and instants are integers of microseconds, exact up
// to 2^53; beyond that everything here refuses to go on rather than be wrong.

const UNITS = [['d', 864e8], ['h', 36e8], ['m', 6e7], ['s', 1e6], ['ms', 1e3], ['us', 1]];

class Limit extends Error {}

function exact(number) {
  if (!Number.isSafeInteger(number)) throw new Limit(`${number} is beyond 2^53, up to which JavaScript is exact`);
  return number;
}

// `6d 23h`: the shortest form.
function duration(microseconds) {
  if (microseconds < 0) return `-${duration(-microseconds)}`;
  const parts = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(microseconds / size);
    if (count) parts.push(count + unit);
    microseconds -= count * size;
  }
  return parts.join(' ') || '0s';
}

// Microseconds of `6d 23h`; null for anything else.
function parsedDuration(text) {
  const words = text.trim().split(/\s+/);
  let total = 0;
  for (const word of words) {
    const [, number, name] = /^(\d+(?:\.\d+)?)(us|ms|w|d|h|m|s)$/.exec(word) ?? [];
    if (number === undefined) return null;
    total += Number(number) * (name === 'w' ? 7 * UNITS[0][1] : UNITS.find(([unit]) => unit === name)[1]);
  }
  return Number.isSafeInteger(total) ? total : null;
}

function shown(value, kind) {
  if (value === null) return 'absent';
  if (typeof value === 'number') return kind === 'duration' ? duration(value) : String(value);
  if (kind === 'string') return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  return String(value);
}

const quoted = (names) => names.map((name) => `\`${name}\``).join(', ');
const cited = (because) => (because?.length ? ` (${because.join(', ')})` : '');

// Why a value is not one of a field, or null.
function objection(name, field, value) {
  if (value === null) return field.optional ? null : `\`${name}\` must have a value`;
  const { type, min, max, step } = field;
  if (Array.isArray(type)) return type.includes(value) ? null : `\`${name}\` is one of ${type.join(', ')}, not \`${value}\``;
  if (type === 'bool') return typeof value === 'boolean' ? null : `\`${name}\` is true or false, not ${shown(value, 'string')}`;
  if (type === 'string') return typeof value === 'string' ? null : `\`${name}\` is ${type}, not ${value}`;
  if (!Number.isSafeInteger(value)) return `\`${name}\` is ${type}, not ${shown(value, 'string')}`;
  if (!(value < min) && !(value > max) && !(step && (value - (min ?? 0)) % step)) return null;
  return `\`${name}\` is ${range(field)}, not ${shown(value, type)}`;
}

// `from 15m to 90d in steps of 1m`
function range({ type, min, max, step }) {
  const bounds = [['from', min], [min === undefined ? 'up to' : 'to', max], ['in steps of', step]];
  const said = bounds.filter(([, bound]) => bound !== undefined).map(([word, bound]) => `${word} ${shown(bound, type)}`);
  return said.join(' ') || type;
}

// ---- expressions. `seen` is what one can read: machine, values, payload, active, others, readings.

function evaluate(node, seen) {
  if (!Array.isArray(node)) return node;
  const [op, one, two] = node;
  switch (op) {
    case 'const': return one;
    case 'field': return seen.values[one];
    case 'payload': return seen.payload[one] ?? null;
    case 'far': return seen.others[one] ? seen.others[one].values[two] : null;
    case 'is': return two.some((state) => (one === null ? seen.active.has(state) : seen.others[one]?.active.includes(state)));
    case 'bound': return seen.others[one] !== null;
    case 'reading': return two.includes(seen.readings[one]);
    case 'present': return evaluate(one, seen) !== null;
    case 'not': return !evaluate(one, seen);
    case 'all': return node.slice(1).every((part) => evaluate(part, seen));
    case 'any': return node.slice(1).some((part) => evaluate(part, seen));
  }
  const left = evaluate(one, seen);
  if (op === 'in') return left !== null && node.slice(2).some((option) => evaluate(option, seen) === left);
  const right = evaluate(two, seen);
  if (op === '==') return left !== null && left === right;
  if (op === '!=') return left === null || left !== right;
  const known = left !== null && right !== null;
  switch (op) {
    case '<': return known && left < right;
    case '<=': return known && left <= right;
    case '>': return known && left > right;
    case '>=': return known && left >= right;
    case '+': return known ? exact(left + right) : null;
    case '-': return known ? exact(left - right) : null;
    case '*': return known ? exact(left * right) : null;
  }
  throw new Error(`no such expression: ${op}`);
}

// A guard is the number of a leaf, or a tree over such numbers.
function holds(guard, seen) {
  if (guard === undefined) return true;
  if (typeof guard === 'number') return Boolean(evaluate(seen.machine.leaves[guard][1], seen));
  const [op, ...parts] = guard;
  if (op === 'not') return !holds(parts[0], seen);
  return op === 'all' ? parts.every((part) => holds(part, seen)) : parts.some((part) => holds(part, seen));
}

// The leaves that decided: all failing ones of a failed `and`, every one of a failed `or`.
function account(guard, seen) {
  if (guard === undefined) return [];
  if (typeof guard === 'number') {
    const [text, expression] = seen.machine.leaves[guard];
    return [{ text, holds: holds(guard, seen), saw: [...new Map(reads(expression, seen))] }];
  }
  const [op, ...parts] = guard;
  if (op === 'not') return account(parts[0], seen);
  const verdict = holds(guard, seen);
  const decisive = parts.filter((part) => holds(part, seen) === verdict);
  return (verdict && op === 'any' ? decisive.slice(0, 1) : decisive).flatMap((part) => account(part, seen));
}

function reads(node, seen) {
  if (!Array.isArray(node)) return [];
  const [op, one, two, kind] = node;
  const { machine, system } = seen;
  const path = (slot) => machine.slots[slot].join('.');
  const where = (there, active) => there.innermost(active).join(' + ');
  const other = (slot) => system.machineBehind(machine, machine.slots[slot]);
  switch (op) {
    case 'const': return [[two, shown(one, kind)]];
    case 'field': return [[machine.fieldNames[one], shown(evaluate(node, seen), machine.fields[machine.fieldNames[one]].type)]];
    case 'payload': return [[`event.${one}`, shown(evaluate(node, seen), two)]];
    case 'far': {
      const name = other(one).fieldNames[two];
      return [[`${path(one)}.${name}`, shown(evaluate(node, seen), other(one).fields[name].type)]];
    }
    case 'is': {
      if (one === null) return [['self', where(machine, [...seen.active].sort((a, b) => a - b))]];
      const there = seen.others[one];
      return [[path(one), there ? where(other(one), there.active) : 'absent']];
    }
    case 'bound': return [[path(one), seen.others[one] ? 'present' : 'absent']];
    case 'reading': return [[one, seen.readings[one]]];
  }
  return node.slice(1).flatMap((part) => reads(part, seen));
}

const sawWords = (saw) => saw.map(([name, value]) => `${name} is ${value}`).join(', ');
const leafWords = ({ text, holds: verdict, saw }) => `\`${text}\` is ${verdict}${saw.length ? ': ' : ''}${sawWords(saw)}`;
