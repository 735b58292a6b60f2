// Following an instance: its journal is the story, told again in this page; what is said on top of it stays here, as a what-if.

const DATA = JSON.parse($('data').textContent);
const WHO = new URLSearchParams(location.search).get('instance');

class FollowingSource extends LocalSource {
  // The story as it is now. Whoever looked at its end goes along; a what-if or a look back is left alone.
  tellLive(story) {
    const { position, kept, own } = this;
    const along = !own.length && position === this.story.steps.length;
    this.stories = [story];
    this.story = story;
    this.kept = own.length ? kept : story.steps.length;
    this.position = along ? story.steps.length : Math.min(position, this.history.length);
    this.walk();
    if (along && story.latest > this.now) {
      this.system.advance(story.latest);
      this.now = this.system.now;
      this.onchange();
    }
    if (along) this.compare(story);
  }

  // The walker decides by the same tables as the service; where it came out differently, somebody outside this page had a say.
  compare({ states }) {
    const differ = Object.entries(states).filter(([id, wanted]) => {
      const snapshot = this.system.world.get(id);
      return !snapshot || this.machines.get(snapshot.machine).names(snapshot.active).join() !== wanted.join();
    });
    document.documentElement.dataset.live = differ.length ? 'differs' : 'same';
    if (differ.length) $('said').textContent = `In the service: ${differ.map(([id, wanted]) => `${id} is in ${wanted.join(' + ')}`).join('; ')}.`;
  }
}

async function begin() {
  const address = `v1/instances/${encodeURIComponent(WHO)}/story`;
  const fetched = async () => (await fetch(address, { headers: { Accept: 'application/json' } })).json();
  const first = await fetched();
  const followed = new FollowingSource(DATA.tables, [first]);
  const page = new Page(followed, { ...DATA, stories: [first] });
  page.show();
  followed.go(first.steps.length);
  followed.tellLive(first);
  let again = null;
  const stream = new EventSource('v1/decisions/stream');
  stream.addEventListener('decision', () => {
    clearTimeout(again);
    again = setTimeout(async () => followed.tellLive(await fetched()), 150);
  });
  stream.onerror = () => { document.documentElement.dataset.live = 'lost'; };
}

begin();
