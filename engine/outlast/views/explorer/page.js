// The page: shows what a source says, and says to it what is clicked. It knows nothing of how machines run.

const $ = (id) => document.getElementById(id);

function el(name, given = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(given)) {
    if (key.startsWith('on')) made[key] = value;
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

function drawn(name, given) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(given)) made.setAttribute(key, value);
  return made;
}

class Page {
  constructor(source, { tables, stories, roles }) {
    Object.assign(this, { source, tables, roles, cards: new Map(), playing: null });
    this.machines = tables.machines;
    $('story').append(...stories.map(({ name, title }) => el('option', { value: name }, title ?? name)));
    $('roles').append(...Object.keys(roles).map((role) => this.chip({ role, title: roles[role].words })));
    $('reading').hidden = !Object.keys(tables.assumptions).length;
    source.onchange = () => this.show();
    this.listen();
  }

  // ---- everything, as it is now

  show() {
    const view = this.source.view();
    const focused = document.activeElement?.dataset?.key;
    this.view = view;
    $('story').value = view.story.name;
    $('about').textContent = view.story.about ?? '';
    Object.assign($('slider'), { max: view.length, value: view.position });
    $('slider').setAttribute('aria-valuetext', `step ${view.position} of ${view.length}, ${duration(view.now)}`);
    $('now').textContent = `${duration(view.now)} · step ${view.position} of ${view.length}`;
    for (const [id, off] of [['first', !view.position], ['back', !view.position], ['next', view.position === view.length]]) $(id).disabled = off;
    $('play').disabled = view.position === view.length && !this.playing;
    const last = view.log.at(-1);
    $('said').textContent = this.summary(last);
    this.overview();
    this.events();
    this.refusals();
    this.time();
    this.questions();
    this.history();
    this.pictures(last);
    if (focused) (document.querySelector(`[data-key="${CSS.escape(focused)}"]`) ?? $('h-can')).focus({ preventScroll: true });
    history.replaceState(null, '', `#${this.source.link}`);
  }

  // What happened, in a sentence; only what somebody would notice.
  summary({ words, steps, problem }) {
    if (problem) return problem;
    const told = steps.flatMap(({ instance, entered, refusal, event, effects, cause }) => {
      if (refusal && cause === 'event') return [`${instance} refuses ${event}: ${refusal}`];
      const there = entered.length ? [`${instance}: ${entered.map(({ title }) => title).join(' + ')}`] : [];
      return [...there, ...effects.map(({ name }) => `${instance} tells ${name}`)];
    });
    if (!words) return 'The beginning.';
    return `${words.text}. ${told.length ? `${told.join('. ')}.` : 'Nothing changes place.'}`;
  }

  // All instances in a line: where each is.
  overview() {
    $('all').replaceChildren(...this.view.instances.map(({ id, states }) => el('button', {
      'data-key': `card:${id}`, onclick: () => this.cards.get(id).node.scrollIntoView({ block: 'nearest' }),
    }, `${id} `, ...states.map((state) => this.chip(state)))));
  }

  chip({ title, role, about }) { return el('span', { class: `chip ${role ?? ''}`, title: about ?? null }, role ? this.sign(role) : null, title); }

  // ---- events

  events() {
    const { can } = this.view;
    const actors = [...Object.keys(this.tables.actors), null];
    let number = 0;
    const groups = actors.flatMap((actor) => {
      const theirs = can.filter(({ by }) => (actor ? by.includes(actor) : !by.length));
      if (!theirs.length) return [];
      const head = actors.length > 1 ? [el('h3', { title: this.tables.actors[actor] ?? '' }, actor ?? 'anyone')] : [];
      const ids = [...new Set(theirs.map(({ instance }) => instance))];
      return [...head, ...ids.map((id) => el('div', { class: 'says' }, el('span', { class: 'who' }, id.replaceAll('.', '.\u200b')), el('div', {},
        ...theirs.filter(({ instance }) => instance === id).map((offer) => {
          number += 1;
          return this.offered(offer, actor, number);
        }))))];
    });
    $('can').replaceChildren(...(groups.length ? groups : [el('p', { class: 'muted' }, 'Nobody can say anything now.')]));
  }

  offered(offer, actor, number) {
    const { instance, event, payload, about, leads } = offer;
    const inputs = this.inputs(payload);
    const leading = leads.filter(Boolean).join(' or ');
    const button = el('button', {
      class: 'do', title: about, 'data-key': `say:${instance}:${event}:${actor}`, 'data-number': number, 'aria-label': `${event} to ${instance}`,
    }, event, el('small', {}, leading ? ` → ${leading}` : ''), number < 10 ? el('kbd', { 'aria-hidden': 'true' }, String(number)) : null);
    return el('form', { class: 'say', onsubmit: (what) => { what.preventDefault(); this.say(offer, actor, inputs); } },
      button, ...inputs.map(({ shownAs }) => shownAs));
  }

  inputs(payload) {
    return Object.entries(payload).map(([name, field]) => {
      const { type } = field;
      const value = sample(field);
      const kind = Array.isArray(type) ? 'choice' : type;
      const input = kind === 'choice' ? el('select', {}, ...type.map((word) => el('option', {}, word)))
        : kind === 'bool' ? el('input', { type: 'checkbox' }) : el('input', { value: value === null ? '' : shown(value, kind === 'duration' ? kind : '') });
      const read = () => {
        const said = input.value.trim();
        if (kind === 'bool') return input.checked;
        if (said === '' && field.optional) return null;
        if (kind === 'duration') return parsedDuration(said) ?? said;
        return kind === 'int' && /^-?\d+$/.test(said) ? Number(said) : said;
      };
      return { name, read, shownAs: el('label', { title: [range(field), field.about].filter(Boolean).join('. ') }, name, input) };
    });
  }

  say({ instance, event }, actor, inputs = []) {
    this.pause();
    this.source.say(instance, event, Object.fromEntries(inputs.map(({ name, read }) => [name, read()])), actor);
  }

  refusals() {
    const { cannot } = this.view;
    const [summary, list] = $('cannot').children;
    summary.textContent = `Why not the rest? ${cannot.length} ${cannot.length === 1 ? 'event' : 'events'}`;
    $('cannot').hidden = !cannot.length;
    const ordered = [...cannot].sort((one, two) => Boolean(two.reasons.length) - Boolean(one.reasons.length));
    list.replaceChildren(...ordered.map((each) => {
      const { instance, event, by, refusal, reasons, elsewhere, payload } = each;
      return el('article', { 'data-refused': `${instance}:${event}` },
        Object.keys(payload).length ? null : el('button', { onclick: () => this.say(each, by[0]), 'aria-label': `say ${event} to ${instance} all the same` }, 'say it all the same'),
        el('span', { class: 'no' }, '✕ ', el('code', {}, event), ` to ${instance}`), el('span', { class: 'muted' }, by.length ? ` by ${by.join(' or ')}` : ''),
        el('div', {}, refusal, el('span', { class: 'muted' }, elsewhere.length ? `; heard in ${elsewhere.join(', ')}` : '')), this.reasons(reasons));
    }));
  }

  reasons(reasons) {
    return el('ul', {}, ...reasons.map(({ id, verdict, words, leaves, because }) => el('li', {}, el('code', {}, id), ' ',
      ...leaves.flatMap(({ needs, saw }, index) => [index ? '; ' : '', 'needs ', el('code', {}, needs), saw ? `, but ${saw}` : '']),
      verdict === 'guard-false' ? '' : verdict === 'refuses' ? `says no: ${words}` : words, ' ', this.clauses(because))));
  }

  clauses(because) {
    if (!because.length) return '';
    return el('details', {}, el('summary', { 'aria-label': `clauses ${because.join(', ')}` }, because.join(' ')),
      ...because.map((clause) => el('p', {}, el('b', {}, clause), ` ${this.tables.clauses[clause] ?? ''}`)));
  }

  // ---- time

  time() {
    const { pending, now, policy } = this.view;
    const rows = pending.map(({ at, instance, what, says, within, armed, latest }, index) => el('div', { class: 'until' },
      el('button', { class: 'do', 'data-key': `until:${instance}:${what}`, 'data-next': index === 0, onclick: () => this.wait(at) },
        this.clock(), ` ${what} `, el('small', {}, `in ${duration(at - now)}`)),
      within && at > now ? el('button', { class: 'do', 'data-key': `now:${instance}:${what}`, onclick: () => this.happen(instance, what, armed, latest) }, 'now') : null,
      el('small', {}, ` ${instance}, ${says}, at ${duration(at)}${within ? ' at the ' + policy : ''}`)));
    $('pending').replaceChildren(...(rows.length ? rows : [el('p', { class: 'muted' }, 'No timer is running.')]));
    const policies = Object.values(this.machines).some(({ rows: all = [] }) => all.some(({ timer }) => timer === 'within'));
    if (!policies || !this.source.resolve) return;
    const choice = el('select', { 'data-key': 'within', onchange: () => this.source.resolve(choice.value) },
      ...['latest', 'earliest'].map((each) => el('option', { value: each, selected: each === policy }, `as ${each === 'latest' ? 'late' : 'early'} as it may`)));
    $('pending').append(el('label', { class: 'open' }, 'What happens ', el('i', {}, 'within'), ' a time happens ', choice));
  }

  wait(at) {
    this.pause();
    this.source.wait(at);
  }

  happen(...which) {
    this.pause();
    this.source.happen(...which);
  }

  clock() {
    const svg = drawn('svg', { viewBox: '-6 -6 12 12', width: 13, height: 13, class: 'clock', 'aria-hidden': 'true' });
    svg.append(drawn('circle', { r: 5 }), drawn('path', { d: 'M0,-3 V0 L2.2,1.4' }));
    return svg;
  }

  // ---- readings

  questions() {
    const { readings, differs } = this.view;
    $('readings').replaceChildren(...Object.entries(this.tables.assumptions ?? {}).map(([name, { question, readings: words, default: given }]) => {
      const choice = el('select', { 'data-key': `read:${name}`, onchange: () => this.source.read(name, choice.value) },
        ...Object.keys(words).map((each) => el('option', { value: each, selected: each === readings[name] }, `${each}${each === given ? ' (default)' : ''}`)));
      const matters = differs.filter(([other]) => other === name);
      return el('div', { class: `open${matters.length ? ' matters' : ''}` }, el('label', {}, el('b', {}, `${name} `), question, ' ', choice),
        el('div', { class: 'muted' }, words[readings[name]]),
        ...matters.map(([, reading, what]) => el('div', {}, '⚠ It matters here. Under ', el('b', {}, reading), `: ${what.join('; ')}.`)));
    }));
  }

  // ---- the log

  history() {
    const { log, ahead, position } = this.view;
    const told = log.map(({ words, steps, problem, skipped, at }, index) => el('li', { class: index === position ? 'last' : '', 'aria-current': index === position ? 'step' : null },
      el('button', { 'data-key': `go:${index}`, onclick: () => this.go(index) }, el('time', {}, duration(words?.at ?? at)), words?.text ?? 'the beginning', skipped ? ': only under another reading' : ''),
      problem ? el('p', { class: 'no' }, problem) : null, ...(words ? steps.flatMap((step) => this.told(step)) : [])));
    const later = ahead.map(({ at, text: said }, index) => el('li', { class: 'ahead' },
      el('button', { 'data-key': `go:${position + index + 1}`, onclick: () => this.go(position + index + 1) }, el('time', {}, duration(at)), said)));
    $('log').replaceChildren(...told, ...later);
  }

  told({ at, instance, cause, event, timer, rows, entered, effects, refusal, faults, reasons }) {
    const what = { start: 'begins', stop: 'is stopped', timer: timer && `timer ${timer}` }[cause] ?? event;
    const where = entered.length ? ` → ${entered.map(({ title }) => title).join(' + ')}` : rows.length && !refusal ? ' stays' : '';
    return [el('p', {}, el('time', {}, duration(at)), el('b', {}, instance), ` ${what}${where} `,
      ...rows.flatMap(({ id, about, because }) => [el('code', { title: about }, id), ' ', this.clauses(because), ' ']),
      ...effects.map(({ name, values }) => el('span', { class: 'muted' }, `! ${name} ${values.length ? '(' : ''}${values.join(', ')}${values.length ? ')' : ''} `)),
      ...faults.map((fault) => el('span', { class: 'no' }, fault))),
    refusal ? el('div', { class: 'no' }, `✕ refused: ${refusal}`, this.reasons(reasons)) : null];
  }

  go(position) {
    this.pause();
    this.source.go(position);
  }

  // ---- cards

  pictures({ steps }) {
    const { instances } = this.view;
    const ids = new Set(instances.map(({ id }) => id));
    for (const [id, card] of this.cards) {
      if (ids.has(id) && card.machine === instances.find((each) => each.id === id).machine) continue;
      card.node.remove();
      this.cards.delete(id);
    }
    const order = [...instances].sort((one, two) => this.machines[two.machine].states.length - this.machines[one.machine].states.length);
    order.forEach((instance, index) => {
      if (!this.cards.has(instance.id)) this.cards.set(instance.id, this.card(instance));
      const { node } = this.cards.get(instance.id);
      if ($('cards').children[index] !== node) $('cards').insertBefore(node, $('cards').children[index] ?? null);
      this.fill(this.cards.get(instance.id), instance, steps.filter((step) => step.instance === instance.id));
    });
  }

  card({ id, machine, title }) {
    const template = $(`picture-${machine}`);
    const picture = el('div', { class: 'picture', tabindex: '0', role: 'group' });
    if (template) picture.append(template.content.cloneNode(true));
    else picture.append(this.tree(machine, -1));
    const svg = picture.querySelector('svg');
    const head = el('div');
    const toggle = el('button', { 'aria-pressed': 'false', onclick: () => {
      toggle.setAttribute('aria-pressed', node.classList.toggle('whole'));
    } }, 'whole picture');
    const node = el('article', { class: 'card', 'data-instance': id, 'aria-label': id }, svg && svg.height.baseVal.value > 400 ? toggle : null,
      el('h3', { title: this.machines[machine].about ?? null }, id, ' ', el('small', {}, title)), head, picture);
    if (svg) node.style.setProperty('--wide', `${svg.width.baseVal.value + 26}px`);
    for (const way of picture.querySelectorAll('.arrow>path:not([class])')) way.classList.add('way');
    for (const row of picture.querySelectorAll('[data-row]')) {
      const { about, because = [], refuse } = this.machines[machine].rows.find((each) => each.id === row.dataset.row) ?? {};
      this.tip(row, [row.dataset.row + (about ? `: ${about}` : ''), refuse && `refused: ${refuse}`, ...this.cite(because)]);
      for (const name of row.querySelectorAll('.id:empty')) name.textContent = ` ${row.dataset.row}`;
      row.onclick = () => {
        const offer = this.view.can.find((each) => each.instance === id && each.rows.includes(row.dataset.row) && !Object.keys(each.payload).length);
        if (offer) this.say(offer, offer.by[0]);
      };
    }
    for (const box of picture.querySelectorAll('g[data-state]')) {
      const { title: words, name, about, role, because = [] } = this.machines[machine].states.find((each) => each.name === box.dataset.state);
      this.tip(box, [words ?? name, about, ...this.cite(because)]);
      box.querySelector('.glyph')?.setAttribute('d', this.roles[role].path);
    }
    return { node, head, picture, machine };
  }

  cite(because) { return because.map((clause) => `${clause}: ${this.tables.clauses[clause] ?? ''}`); }

  tip(shape, words) {
    const title = drawn('title', {});
    title.textContent = words.filter(Boolean).join('\n');
    shape.prepend(title);
  }

  // Without a picture: the states as a list.
  tree(machine, parent) {
    const { states } = this.machines[machine];
    return el('ul', { class: 'tree' }, ...states.flatMap((state, index) => ((state.parent ?? -1) !== parent ? [] : [
      el('li', {}, el('span', { 'data-state': state.name }, state.title ?? state.name), this.tree(machine, index)),
    ])));
  }

  fill({ node, head, picture }, instance, steps) {
    const { id, states, active, fields, refs } = instance;
    const facts = [...fields, ...refs.map(([name, to]) => [name, `→ ${to}`])];
    const { fields: declared = {} } = this.machines[instance.machine];
    head.replaceChildren(
      ...states.map((state) => this.chip(state)),
      el('p', { class: 'facts' }, ...facts.map(([name, value]) => el('span', { title: declared[name]?.about ?? null }, `${name} `, el('b', {}, value)))));
    node.classList.toggle('new', steps.some(({ entered }) => entered.length));
    picture.setAttribute('aria-label', `${id} is in ${states.map(({ title }) => title).join(' and ')}`);
    const here = new Set(states.map(({ name }) => name));
    const may = new Set(this.view.can.filter((each) => each.instance === id).flatMap(({ rows }) => rows));
    const taken = new Set(steps.flatMap(({ rows }) => rows.map((row) => row.id)));
    picture.querySelectorAll('.mark').forEach((mark) => mark.remove());
    const found = [];
    for (const box of picture.querySelectorAll('[data-state]')) {
      const state = box.dataset.state;
      box.classList.toggle('here', here.has(state));
      box.classList.toggle('within', active.includes(state) && !here.has(state));
      if (!here.has(state)) continue;
      found.push(box.getBoundingClientRect());
      const rect = box.querySelector('rect')?.getAttribute.bind(box.querySelector('rect'));
      if (rect) box.append(this.mark(Number(rect('x')) + Number(rect('width')), Number(rect('y'))));
    }
    for (const row of picture.querySelectorAll('[data-row]')) row.classList.toggle('may', may.has(row.dataset.row));
    for (const arrow of picture.querySelectorAll('.arrow')) {
      arrow.classList.toggle('hot', [...arrow.querySelectorAll('[data-row]')].some((row) => taken.has(row.dataset.row)));
    }
    if (!found.length || node.dataset.at === [...here].join()) return;
    node.dataset.at = [...here].join();
    const frame = picture.getBoundingClientRect();
    const off = (side, end, size, least) => {
      const [from, to] = [Math.min(...found.map((box) => box[side])), Math.max(...found.map((box) => box[end]))];
      return from - frame[side] - Math.max((frame[size] - to + from) / 2, least);
    };
    picture.scrollBy(off('left', 'right', 'width', 20), off('top', 'bottom', 'height', 30));
  }

  mark(x, y) {
    const mark = drawn('g', { class: 'mark' });
    mark.append(drawn('circle', { class: 'disc', cx: x, cy: y, r: 8 }), drawn('circle', { cx: x, cy: y, r: 2.6 }));
    return mark;
  }

  sign(role) {
    const { path, filled } = this.roles[role];
    const svg = drawn('svg', { viewBox: '-6 -6 12 12', width: 13, height: 13, 'aria-hidden': 'true' });
    svg.append(drawn('path', { class: `glyph${filled ? ' f' : ''}`, d: path }));
    return svg;
  }

  // ---- controls

  listen() {
    $('story').onchange = () => { this.pause(); this.source.tell($('story').value); };
    $('first').onclick = () => this.go(0);
    $('back').onclick = () => this.go(this.view.position - 1);
    $('next').onclick = () => this.go(this.view.position + 1);
    $('play').onclick = () => (this.playing ? this.pause() : this.play());
    $('slider').oninput = () => this.go(Number($('slider').value));
    $('copy').onclick = () => this.copy();
    $('theme').onclick = () => this.shade();
    $('help').onclick = () => $('keys').showModal();
    $('quick').append(...['1m', '15m', '1h', '1d', '7d'].map((text) => el('button', { type: 'button', onclick: () => this.wait(this.view.now + parsedDuration(text)) }, `+${text}`)));
    $('wait').onsubmit = (what) => {
      what.preventDefault();
      const length = parsedDuration($('for').value);
      $('for').setCustomValidity(length === null ? 'A duration, like 90s, 15m or 6d 23h' : '');
      if (length === null) $('for').reportValidity();
      else this.wait(this.view.now + length);
    };
    $('for').oninput = () => $('for').setCustomValidity('');
    window.onhashchange = () => { if (location.hash.slice(1) !== this.source.link) this.source.follow(location.hash.slice(1)); };
    document.onkeydown = (pressed) => this.key(pressed);
  }

  key(pressed) {
    const { key, target, ctrlKey, metaKey, altKey } = pressed;
    if (ctrlKey || metaKey || altKey || $('keys').open) return;
    if (target.matches('input:not([type=range]),select,textarea')) return;
    if (key === ' ' && target.matches('button,summary')) return;
    const numbered = /^[1-9]$/.test(key) && document.querySelector(`[data-number="${key}"]`);
    const does = numbered ? () => numbered.click() : {
      ArrowLeft: () => $('back').click(), ArrowRight: () => $('next').click(), Home: () => this.go(0), End: () => this.go(this.view.length),
      ' ': () => $('play').click(), n: () => document.querySelector('[data-next]')?.click(), s: () => $('story').focus(), l: () => this.copy(),
      t: () => this.shade(), '?': () => $('keys').showModal(),
      w: () => { $('cannot').open = !$('cannot').open; $('cannot').scrollIntoView({ block: 'nearest' }); },
    }[key];
    if (!does) return;
    pressed.preventDefault();
    does();
  }

  play() {
    if (this.view.position === this.view.length) return;
    this.playing = setInterval(() => {
      this.source.go(this.view.position + 1);
      if (this.view.position === this.view.length) this.pause();
    }, 1100);
    $('play').textContent = 'Pause';
  }

  pause() {
    clearInterval(this.playing);
    this.playing = null;
    $('play').textContent = 'Play';
    $('play').disabled = this.view.position === this.view.length;
  }

  async copy() {
    const link = location.href;
    try {
      await navigator.clipboard.writeText(link);
      $('said').textContent = 'The link is copied.';
    } catch {
      window.prompt('The link to this moment', link);
    }
  }

  shade() {
    const { classList } = document.documentElement;
    const dark = classList.contains('dark') || (!classList.contains('light') && matchMedia('(prefers-color-scheme:dark)').matches);
    classList.toggle('dark', !dark);
    classList.toggle('light', dark);
    document.documentElement.style.colorScheme = dark ? 'light' : 'dark';
  }
}
