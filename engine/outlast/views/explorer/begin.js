// Everything put together: the data of this page, walked in this page.

const DATA = JSON.parse($('data').textContent);
const SOURCE = new LocalSource(DATA.tables, DATA.stories.map((story) => told(story, DATA.parts)));
const PAGE = new Page(SOURCE, { ...DATA, stories: SOURCE.stories });
SOURCE.follow(location.hash.slice(1)) || PAGE.show();
