import { byId, element } from './dom.js';

const SHOW_MS = 8_000;
const TOASTS_MAX = 4;

/** A map that fails asks for dozens of tiles with the same fate: one toast a code, with a count, not dozens. */
export function createToasts() {
  const shown = new Map();

  function remove(key) {
    const toast = shown.get(key);
    if (!toast) return;
    clearTimeout(toast.timer);
    toast.node.remove();
    shown.delete(key);
  }

  function show(title, detail, key = title) {
    const before = shown.get(key);
    const count = (before?.count ?? 0) + 1;
    remove(key);
    if (shown.size >= TOASTS_MAX) remove(shown.keys().next().value);
    const close = element('button', {
      type: 'button',
      class: 'icon',
      'aria-label': 'Dismiss',
      text: '×',
      onclick: () => remove(key),
    });
    const node = element(
      'div',
      { class: 'toast card' },
      element('strong', { text: count > 1 ? `${title} (${count} times)` : title }),
      element('p', { text: detail }),
      close,
    );
    byId('toasts').append(node);
    shown.set(key, { node, count, timer: setTimeout(() => remove(key), SHOW_MS) });
  }

  return { show, error: error => show(error.title ?? error.name ?? 'Error', error.message, error.code) };
}
