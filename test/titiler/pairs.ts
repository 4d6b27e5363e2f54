/** Requests that titiler and this server both take, over rasters of every common kind. */

export interface Pair {
  readonly file: string;
  readonly method: 'GET' | 'POST';
  /** Without /cog. */
  readonly path: string;
  readonly query: string;
  readonly body?: object;
  /** Where the two need other words for the same: what titiler is asked beside it. */
  readonly theirs?: string;
  /** Members of JSON that differ for a reason of docs/titiler.md. */
  readonly except?: readonly string[];
}

export interface Raster {
  readonly file: string;
  /** A tile and a window within the data. */
  readonly tile: readonly [z: number, x: number, y: number];
  readonly box: readonly [number, number, number, number];
  readonly bands: number;
  /** Its CRS is that of the box: sizes are the same to the pixel. */
  readonly degrees?: true;
  readonly range: string;
}

export function pairsOf(raster: Raster): Pair[] {
  return [...tiles(raster), ...windows(raster), ...numbers(raster), ...features(raster), ...documents(raster)];
}

const get = ({ file }: Raster, path: string, query = '', more: Partial<Pair> = {}): Pair => ({
  file,
  method: 'GET',
  path,
  query,
  ...more,
});

/** Two colours, one for each half of the range. */
function intervals(range: string): string {
  const [low, high] = range.split(',').map(Number);
  const middle = (low + high) / 2;
  return encodeURIComponent(
    JSON.stringify([
      [
        [low, middle],
        [255, 0, 0, 255],
      ],
      [
        [middle, high],
        [0, 0, 255, 255],
      ],
    ]),
  );
}

function shown({ bands, range }: Raster): string[] {
  const stretch = `rescale=${range}`;
  const one = `bidx=1&${stretch}`;
  return [
    stretch,
    `${stretch}&resampling=bilinear&reproject=bilinear`,
    `${one}&colormap_name=viridis`,
    `${one}&color_formula=gamma R 1.8, sigmoidal R 6 0.4`.replaceAll(' ', '%20'),
    `${one}&nodata=0`,
    `bidx=1&colormap=${intervals(range)}`,
    `${one}&colormap_name=magma&return_mask=false`,
    `${stretch}&unscale=true`,
    `expression=b1*2&rescale=${range.split(',').map(v => Number(v) * 2)}`,
    ...(bands >= 3
      ? [`bidx=3,2,1&${stretch}`.replace('bidx=3,2,1', 'bidx=3&bidx=2&bidx=1'), `${stretch}&algorithm=grayscale`]
      : []),
    ...(bands === 1
      ? [
          'algorithm=terrarium',
          `algorithm=contours&algorithm_params=${encodeURIComponent('{"minz":0,"maxz":4000,"increment":50}')}`,
        ]
      : []),
  ];
}

function tiles(raster: Raster): Pair[] {
  const [z, x, y] = raster.tile;
  const at = `/tiles/WebMercatorQuad/${z}/${x}/${y}`;
  return [
    ...shown(raster).map(query => get(raster, `${at}.png`, query, { theirs: 'tilesize=256' })),
    // titiler cuts what an algorithm looks at off the tile; here it is read beside it.
    ...(raster.bands === 1 ? [get(raster, `${at}.png`, 'algorithm=hillshade', { theirs: 'buffer=3' })] : []),
    ...(raster.bands === 1 ? [get(raster, `${at}.png`, 'algorithm=hillshade&buffer=4')] : []),
    get(raster, `${at}.png`, `rescale=${raster.range}&tilesize=200`),
    get(raster, `${at}.png`, `rescale=${raster.range}&tilesize=256&buffer=2`),
    get(raster, `${at}.png`, `rescale=${raster.range}&tilesize=512&return_mask=false`),
  ];
}

function windows(raster: Raster): Pair[] {
  const box = raster.box.join(',');
  const stretch = `rescale=${raster.range}`;
  return [
    get(raster, `/bbox/${box}/200x150.png`, stretch),
    ...(raster.degrees ? [get(raster, `/bbox/${box}.png`, `${stretch}&max_size=128`)] : []),
    get(raster, `/bbox/${box}/100x100.png`, `${stretch}&dst_crs=EPSG:3857`),
    get(raster, '/preview.png', `${stretch}&max_size=500`),
    get(raster, '/preview/120x80.png', stretch),
  ];
}

function numbers(raster: Raster): Pair[] {
  const [w, s, e, n] = raster.box;
  const everything = { theirs: 'max_size=100000', except: ['exact', 'level'] };
  return [
    ...[0.3, 0.5, 0.7].map(part => get(raster, `/point/${w + (e - w) * part},${s + (n - s) * part}`)),
    get(raster, `/point/${(w + e) / 2},${(s + n) / 2}`, 'expression=b1*2;b1/3'),
    get(raster, '/statistics', 'bidx=1', everything),
    get(raster, '/statistics', 'expression=b1*2&p=5&p=50&histogram_bins=7', everything),
    get(raster, '/statistics', `bidx=1&histogram_range=${raster.range}`, everything),
  ];
}

/** What of statistics within features does not hang on how shares of pixels are found: titiler counts them ten by ten, we compute them. */
const SHARES = [
  'unique',
  'histogram',
  'valid_pixels',
  'masked_pixels',
  'minority',
  'count',
  'sum',
  'mean',
  'std',
  'median',
  'percentile_2',
  'percentile_98',
  'valid_percent',
];

function features(raster: Raster): Pair[] {
  const [w, s, e, n] = raster.box;
  const ring = [
    [w, s],
    [e, s + (n - s) * 0.2],
    [w + (e - w) * 0.6, n],
    [w, s],
  ];
  const body = {
    type: 'Feature',
    properties: { name: 'triangle' },
    geometry: { type: 'Polygon', coordinates: [ring] },
  };
  const post = (path: string, query: string, more: Partial<Pair> = {}): Pair => ({
    ...get(raster, path, query, more),
    method: 'POST',
    body,
  });
  return [
    post('/feature/200x150.png', `rescale=${raster.range}`),
    ...(raster.degrees ? [post('/statistics', 'bidx=1', { except: ['exact', 'level', ...SHARES] })] : []),
  ];
}

function documents(raster: Raster): Pair[] {
  return [
    get(raster, '/info', '', {
      except: [
        'servable',
        'reasons',
        'notes',
        'minzoom',
        'maxzoom',
        'crs',
        'band_metadata',
        'nodata_value',
        'colormap',
      ],
    }),
  ];
}
