// Following an instance: its journal is the story, told again in this page; what is said on top of it stays here, as a what-if.

const DATA = JSON.parse($('data').textContent);
const WHO = new URLSearchParams(location.search).get('instance');
const LIVE = { same: '● live', differs: '● live: somebody else had a say', back: '↩ back to live', lost: '○ connection lost: trying again' };
const RETRY = 2000;

class FollowingSource extends LocalSource {
  // Whether whoever looks stands at the end of what really happened.
  get along() { return !this.own.length && this.position === this.story.steps.length; }

  // The story as it is now. Whoever is along goes along; a what-if or a look back is left alone.
  tellLive(story) {
    const { position, kept, own, along } = this;
    this.stories = [story];
    this.story = story;
    this.kept = own.length ? kept : story.steps.length;
    this.position = along ? story.steps.length : Math.min(position, this.history.length);
    this.walk();
    if (along) this.catchUp();
  }

  // To the end, whatever was asked on the way.
  back() {
    Object.assign(this, { own: [], kept: this.story.steps.length, position: this.story.steps.length });
    this.walk();
    this.catchUp();
  }

  catchUp() {
    const { latest, states } = this.story;
    if (latest > this.now) {
      this.system.advance(latest);
      this.now = this.system.now;
    }
    this.differ = this.different(states);
    this.onchange();
    if (this.differ.length) $('said').textContent = `In the service: ${this.differ.join('; ')}.`;
  }

  // The walker decides by the same tables as the service; where it came out differently, somebody outside this page had a say.
  different(states) {
    return Object.entries(states).filter(([id, wanted]) => {
      const snapshot = this.system.world.get(id);
      return !snapshot || this.machines.get(snapshot.machine).names(snapshot.active).join() !== wanted.join();
    }).map(([id, wanted]) => `${id} is in ${wanted.join(' + ')}`);
  }
}

async function begin() {
  const address = `v1/instances/${encodeURIComponent(WHO)}/story`;
  const fetched = async () => {
    const answer = await fetch(address, { headers: { Accept: 'application/json' } });
    if (!answer.ok) throw new Error(answer.statusText);
    return answer.json();
  };
  const first = await fetched();
  const followed = new FollowingSource(DATA.tables, [first]);
  const page = new Page(followed, { ...DATA, stories: [first] });
  const live = el('button', { id: 'live', title: 'Follow what really happens', onclick: () => followed.back() });
  $('now').after(live);
  let connected = true;
  const show = () => {
    const how = !connected ? 'lost' : !followed.along ? 'back' : followed.differ?.length ? 'differs' : 'same';
    document.documentElement.dataset.live = how;
    if (live.textContent !== LIVE[how]) live.textContent = LIVE[how];
  };
  followed.onchange = () => {
    page.show();
    show();
  };
  followed.back();

  // What comes while the story is being fetched is fetched once more; what cannot be fetched now, later.
  let [again, busy, stale] = [null, false, false];
  const soon = (milliseconds) => {
    clearTimeout(again);
    again = setTimeout(tell, milliseconds);
  };
  const tell = async () => {
    stale = busy;
    if (busy) return;
    busy = true;
    try {
      followed.tellLive(await fetched());
    } catch {
      soon(RETRY);
    }
    busy = false;
    if (stale) soon(0);
  };
  const listen = () => {
    const stream = new EventSource('v1/decisions/stream');
    const turned = (now) => {
      connected = now;
      show();
    };
    stream.onopen = () => {
      turned(true);
      soon(0); // something may have happened before
    };
    stream.addEventListener('decision', () => soon(150));
    stream.onerror = () => {
      turned(false);
      if (stream.readyState === EventSource.CLOSED) setTimeout(listen, RETRY); // it was refused, and does not try again by itself
    };
  };
  listen();
}

begin();
