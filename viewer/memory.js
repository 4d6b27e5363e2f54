import { getJson } from './api.js';
import { byId, element, formatBytes } from './dom.js';

const POLL_MS = 2_000;

function share(bytes, limit) {
  return limit > 0 && Number.isFinite(bytes) ? Math.max(0, Math.min(1, bytes / limit)) : 0;
}

function accountRows(accounts) {
  return Object.entries(accounts ?? {}).map(([name, account]) => {
    const bytes = typeof account === 'number' ? account : (account?.used ?? account?.bytes);
    return element('tr', {}, element('th', { scope: 'row', text: name }), element('td', { text: formatBytes(bytes) }));
  });
}

/** The hull is the limit, the water is what is truly held, the dark part what the ledger has booked, the disc the load line. */
export function drawMemory({ limit, line, used, rss, level, accounts }) {
  byId('memory').dataset.level = level;
  byId('memory-text').textContent = `${formatBytes(rss)} of ${formatBytes(limit)}`;
  byId('memory-level').textContent = level;
  byId('memory-rss').style.width = `${100 * share(rss, limit)}%`;
  byId('memory-used').style.width = `${100 * share(used, limit)}%`;
  byId('memory-line').style.left = `${100 * share(line, limit)}%`;
  const value = byId('memory-value');
  value.max = limit;
  value.value = rss;
  value.setAttribute('aria-valuetext', `${formatBytes(rss)} of ${formatBytes(limit)}, level ${level}`);
  byId('memory-meter').title =
    `${formatBytes(used)} booked in the ledger, ${formatBytes(rss)} resident, load line at ${formatBytes(line)}`;
  byId('memory-accounts').replaceChildren(...accountRows(accounts));
}

function drawUnknown(message) {
  byId('memory').dataset.level = 'unknown';
  byId('memory-level').textContent = 'no reading';
  byId('memory-meter').title = message;
}

/** Polls while the page is visible; a reading that fails is said, and the next one is still asked for. */
export function startMemoryGauge() {
  let timer = null;

  async function poll() {
    timer = null;
    try {
      drawMemory(await getJson('memory'));
    } catch (error) {
      drawUnknown(error.message);
    }
    if (document.visibilityState === 'visible') timer = setTimeout(poll, POLL_MS);
  }

  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible' && timer === null) poll();
  });
  return poll();
}
