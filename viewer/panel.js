import { stretchOf } from './catalogue.js';
import { byId, element } from './dom.js';
import { isRaster, paintings, usableBounds } from './style.js';

const FILTER_FROM = 8;

function kindName(info) {
  if (isRaster(info)) return 'raster';
  const [first] = paintings(info.geometry);
  const known = paintings(info.geometry).length < 3;
  const shape = known ? { fill: 'polygons', line: 'lines', circle: 'points' }[first] : 'mixed';
  return info.kind === 'session' ? `session · ${shape}` : shape;
}

function swatch(info, choice) {
  const node = element('span', {
    class: `swatch ${isRaster(info) ? 'raster' : paintings(info.geometry)[0]}`,
    'aria-hidden': 'true',
  });
  if (!isRaster(info)) node.style.setProperty('--colour', choice.colour);
  return node;
}

function factRow(name, value) {
  return value ? [element('dt', { text: name }), element('dd', { text: value })] : [];
}

function bandNames(bands) {
  return bands
    ?.map((band, index) => (typeof band === 'string' ? band : band.description || `b${band.index ?? index + 1}`))
    .join(', ');
}

function facts(info) {
  return element(
    'dl',
    {},
    ...factRow('CRS', info.crs),
    ...factRow('Values', info.dtype),
    ...factRow('Zooms', info.minzoom === undefined ? null : `${info.minzoom}–${info.maxzoom}`),
    ...factRow('Bands', bandNames(info.bands)),
    ...factRow('Fields', info.fields && Object.keys(info.fields).join(', ')),
  );
}

function opacityControl(info, catalogue) {
  const input = element('input', {
    type: 'range',
    min: 0,
    max: 1,
    step: 0.05,
    value: catalogue.choiceOf(info.id).opacity,
    oninput: event => catalogue.change(info.id, { opacity: Number(event.target.value) }),
  });
  return element('label', { class: 'row' }, element('span', { text: 'Opacity' }), input);
}

function numberInput(label, value, onchange) {
  const name = `Rescale ${label}imum`;
  return element('input', { type: 'number', step: 'any', 'aria-label': name, placeholder: label, value, onchange });
}

function rescaleControl(info, catalogue, toasts) {
  const [low, high] = catalogue.choiceOf(info.id).rescale ?? [null, null];
  const apply = () => {
    const pair = [min, max].map(input => (input.value === '' ? Number.NaN : Number(input.value)));
    if (pair.every(Number.isFinite) && pair[0] < pair[1]) catalogue.change(info.id, { rescale: pair });
    else if (min.value === '' && max.value === '') catalogue.change(info.id, { rescale: null });
    const wrong = pair.every(Number.isFinite) && pair[0] >= pair[1];
    max.setCustomValidity(wrong ? 'The maximum must be above the minimum' : '');
    max.reportValidity();
  };
  const min = numberInput('min', low, apply);
  const max = numberInput('max', high, apply);
  const stretch = async () => {
    try {
      [min.value, max.value] = await stretchOf(info);
      apply();
    } catch (error) {
      toasts.error(error);
    }
  };
  const auto = element('button', {
    type: 'button',
    text: 'Auto',
    title: 'Stretch to the 2nd and 98th percentile',
    onclick: stretch,
  });
  return element(
    'div',
    { class: 'row', role: 'group', 'aria-label': 'Rescale' },
    element('span', { text: 'Rescale' }),
    min,
    max,
    auto,
  );
}

function colormapControl(info, catalogue, names) {
  const { colormap } = catalogue.choiceOf(info.id);
  const options = ['', ...names].map(name =>
    element('option', { value: name, text: name || 'as the file says', selected: name === colormap }),
  );
  const onchange = event => catalogue.change(info.id, { colormap: event.target.value });
  return element(
    'label',
    { class: 'row' },
    element('span', { text: 'Colours' }),
    element('select', { onchange }, ...options),
  );
}

function controls(info, { catalogue, toasts, fit, colormaps }) {
  const raster = isRaster(info);
  const oneBand = (info.bands?.length ?? 1) <= 2;
  return element(
    'div',
    { class: 'controls' },
    opacityControl(info, catalogue),
    raster ? rescaleControl(info, catalogue, toasts) : null,
    raster && oneBand && colormaps.length > 0 ? colormapControl(info, catalogue, colormaps) : null,
    facts(info),
    element(
      'div',
      { class: 'row' },
      element('button', {
        type: 'button',
        text: 'Fit to bounds',
        disabled: usableBounds(info.bounds) === null,
        onclick: () => fit(info),
      }),
      element('a', { href: `tiles/${encodeURIComponent(info.id)}`, text: 'TileJSON' }),
    ),
  );
}

function layerItem(info, context) {
  const { catalogue, toasts } = context;
  const choice = catalogue.choiceOf(info.id);
  const body = element('div', { class: 'body', hidden: true });
  const more = element('button', {
    type: 'button',
    class: 'icon more',
    'aria-expanded': 'false',
    'aria-label': `Options of ${info.title ?? info.id}`,
    text: '⋯',
  });
  more.addEventListener('click', () => {
    if (body.childElementCount === 0) body.append(controls(info, context));
    body.hidden = !body.hidden;
    more.setAttribute('aria-expanded', String(!body.hidden));
  });
  const box = element('input', {
    type: 'checkbox',
    checked: choice.visible,
    'data-layer': info.id,
    onchange: event => catalogue.setVisible(info.id, event.target.checked).catch(toasts.error),
  });
  const name = element('span', { class: 'name', text: info.title ?? info.id, title: info.id });
  const head = element(
    'label',
    {},
    box,
    swatch(info, choice),
    name,
    element('span', { class: 'kind', text: kindName(info) }),
  );
  return element(
    'li',
    { class: 'layer', 'data-search': `${info.id} ${info.title ?? ''}`.toLowerCase() },
    element('div', { class: 'head' }, head, more),
    body,
  );
}

function reasonBlock({ code, detail, remedy }) {
  return element(
    'div',
    { class: 'reason' },
    element('b', { text: code }),
    element('p', { text: detail }),
    remedy ? element('code', { text: remedy }) : null,
  );
}

function refusedItem(info) {
  const reasons = (info.reasons ?? []).map(reasonBlock);
  return element(
    'li',
    { class: 'layer refused', 'data-layer': info.id },
    element('span', { class: 'name', text: info.title ?? info.id }),
    ...reasons,
  );
}

function filterBy(text) {
  const wanted = text.trim().toLowerCase();
  for (const item of document.querySelectorAll('#layer-list > li')) item.hidden = !item.dataset.search.includes(wanted);
}

export function drawPanel({ served, refused }, context) {
  byId('layer-list').replaceChildren(...served.map(info => layerItem(info, context)));
  if (served.length === 0)
    byId('layer-list').append(element('li', { class: 'empty', 'data-search': '', text: 'No layer is served yet.' }));
  byId('layer-filter').hidden = served.length < FILTER_FROM;
  filterBy(byId('layer-filter').value);
  byId('refused').hidden = refused.length === 0;
  byId('refused').querySelector('summary').textContent = `Refused (${refused.length})`;
  byId('refused-list').replaceChildren(...refused.map(refusedItem));
}

export function wirePanel({ reload }) {
  byId('layer-filter').addEventListener('input', event => filterBy(event.target.value));
  byId('refresh').addEventListener('click', reload);
  const fold = byId('fold');
  const show = open => {
    byId('panel-body').hidden = !open;
    fold.textContent = open ? '–' : '+';
    fold.setAttribute('aria-expanded', String(open));
    fold.setAttribute('aria-label', open ? 'Fold the panel' : 'Unfold the panel');
  };
  fold.addEventListener('click', () => show(byId('panel-body').hidden));
  // A phone shows the map first.
  if (matchMedia('(max-width: 480px)').matches) show(false);
}
