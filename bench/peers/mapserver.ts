/** mapserv as FastCGI, kept up by multiwatch, behind nginx: how MapServer is run where it is run well. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Dataset, rasterFiles, tileBox } from './dataset.ts';
import {
  launch,
  onPath,
  type Paths,
  type Peer,
  RGB_TILE,
  type Running,
  type Setting,
  stopAll,
  untilReady,
} from './peer.ts';

const MAPSERV_DIRS = ['/usr/lib/cgi-bin', '/usr/libexec', '/usr/local/bin'];

const PROGRAMS: Readonly<Record<string, { folders: string[]; apt: string }>> = {
  mapserv: { folders: MAPSERV_DIRS, apt: 'cgi-mapserver' },
  'spawn-fcgi': { folders: [], apt: 'spawn-fcgi' },
  multiwatch: { folders: [], apt: 'multiwatch' },
  nginx: { folders: ['/usr/sbin'], apt: 'nginx' },
};

function find(program: string): string | undefined {
  return onPath(program, PROGRAMS[program]!.folders);
}

function missing(): string[] {
  const lacks = Object.keys(PROGRAMS).filter(program => find(program) === undefined);
  return lacks.length > 0
    ? [`MapServer: apt-get install ${lacks.map(program => PROGRAMS[program]!.apt).join(' ')}`]
    : [];
}

/** The elevation model is stretched to gray: colours by class would cost MapServer more. */
function rasterLayers(dataset: Dataset): string {
  return rasterFiles(dataset)
    .map(
      ([name, file]) => `  LAYER
    NAME "${name}" TYPE RASTER STATUS OFF
    DATA "${file}"
    PROJECTION AUTO END
    PROCESSING "RESAMPLE=BILINEAR"${name === 'dem' ? ' PROCESSING "SCALE=0,1000"' : ''}
    METADATA "ows_title" "${name}" END
  END`,
    )
    .join('\n');
}

function mapfile({ dataset }: Setting): string {
  return `MAP
  NAME "bench"
  SIZE 256 256
  EXTENT -20037508 -20037508 20037508 20037508
  UNITS METERS
  PROJECTION "epsg:3857" END
  IMAGETYPE "png"
  OUTPUTFORMAT NAME "png" DRIVER "AGG/PNG" MIMETYPE "image/png" IMAGEMODE RGB EXTENSION "png" END
  OUTPUTFORMAT
    NAME "webp" DRIVER "GDAL/WEBP" MIMETYPE "image/webp" IMAGEMODE RGB EXTENSION "webp" FORMATOPTION "QUALITY=75"
  END
  OUTPUTFORMAT NAME "jpeg" DRIVER "AGG/JPEG" MIMETYPE "image/jpeg" IMAGEMODE RGB EXTENSION "jpg" FORMATOPTION "QUALITY=75" END
  OUTPUTFORMAT
    NAME "mvt" DRIVER "MVT" MIMETYPE "application/vnd.mapbox-vector-tile" EXTENSION "mvt"
    FORMATOPTION "EXTENT=4096" FORMATOPTION "EDGE_BUFFER=16"
  END
  WEB
    METADATA
      "ows_title" "bench" "ows_enable_request" "*" "ows_srs" "EPSG:3857 EPSG:4326" "ows_onlineresource" "http://127.0.0.1/?"
    END
  END
${rasterLayers(dataset)}
  LAYER
    NAME "vector" TYPE POLYGON STATUS OFF
    CONNECTIONTYPE FLATGEOBUF
    DATA "${dataset.vector}"
    PROJECTION "epsg:4326" END
    PROCESSING "CLOSE_CONNECTION=DEFER"
    TEMPLATE "x"
    METADATA "ows_title" "vector" "gml_include_items" "all" END
    CLASS STYLE COLOR 180 170 160 END END
  END
END
`;
}

function config(dir: string): string {
  return `CONFIG
  ENV
    MS_MAP_PATTERN "^${dir}/"
    MS_MAPFILE "${dir}/bench.map"
    GDAL_CACHEMAX "64"
    GDAL_DISABLE_READDIR_ON_OPEN "EMPTY_DIR"
  END
END
`;
}

function nginxConfig({ dir, port }: Setting): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    what => `  ${what}_temp_path ${dir}/tmp/${what};`,
  );
  // Started by root, nginx would run its worker as a user that cannot reach the folder.
  return `${process.getuid?.() === 0 ? 'user root;\n' : ''}worker_processes 1;
daemon off;
pid ${dir}/nginx.pid;
error_log ${dir}/nginx.log warn;
events { worker_connections 1024; }
http {
  access_log off;
${temporary.join('\n')}
  fastcgi_buffers 64 16k;
  gzip on;
  gzip_comp_level 1;
  gzip_types application/vnd.mapbox-vector-tile;
  server {
    listen 127.0.0.1:${port} backlog=1024;
    keepalive_requests 1000000;
    location / {
      include /etc/nginx/fastcgi_params;
      fastcgi_param MAPSERVER_CONFIG_FILE ${dir}/mapserver.conf;
      fastcgi_read_timeout 120;
      fastcgi_pass unix:${dir}/mapserv.sock;
    }
  }
}
`;
}

function pathsOf(dir: string, dataset: Dataset): Paths {
  const map = `/?map=${encodeURIComponent(join(dir, 'bench.map'))}`;
  const tile = (layer: string, type: string) =>
    `${map}&mode=tile&tilemode=gmap&layers=${layer}&map.imagetype=${type}&tile=`;
  const wms = (layer: string, format: string, pixels = 512) =>
    `${map}&SERVICE=WMS&VERSION=1.1.1&REQUEST=GetMap&LAYERS=${layer}&STYLES=&SRS=EPSG:3857&WIDTH=${pixels}&HEIGHT=${pixels}&FORMAT=image/${format}&BBOX=`;
  return {
    vectorTile: ({ z, x, y }) => `${tile('vector', 'mvt')}${x}+${y}+${z}`,
    rasterTile: ({ z, x, y }, { layer, size, format: wanted }) => {
      if (layer !== 'rgb' && dataset[layer] === undefined) return null;
      const format = wanted === 'jpg' ? 'jpeg' : wanted;
      // mode=tile knows one size only.
      if (size === 512) return `${wms(layer, format)}${tileBox({ z, x, y }).join(',')}`;
      return `${tile(layer, format)}${x}+${y}+${z}`;
    },
    window: (box, pixels) => `${wms('rgb', 'png', pixels)}${box.join(',')}`,
  };
}

async function start(setting: Setting): Promise<Running> {
  const { dir, port, workers, wrap = [] } = setting;
  chmodSync(dir, 0o755);
  mkdirSync(join(dir, 'tmp'));
  writeFileSync(join(dir, 'bench.map'), mapfile(setting));
  writeFileSync(join(dir, 'mapserver.conf'), config(dir));
  writeFileSync(join(dir, 'nginx.conf'), nginxConfig(setting));
  const socket = join(dir, 'mapserv.sock');
  const pool = [find('multiwatch')!, '-f', String(workers), '-r', '1000', '--', find('mapserv')!];
  const env = { MAPSERVER_CONFIG_FILE: join(dir, 'mapserver.conf') };
  const children = [
    launch(find('spawn-fcgi')!, ['-n', '-s', socket, '-M', '0666', '-b', '1024', '--', ...pool], { dir, env, wrap }),
    launch(find('nginx')!, ['-c', join(dir, 'nginx.conf'), '-e', join(dir, 'nginx.log')], { dir, wrap }),
  ];
  const stop = () => stopAll(children);
  const paths = pathsOf(dir, setting.dataset);
  try {
    await untilReady(port, paths.rasterTile({ z: 0, x: 0, y: 0 }, RGB_TILE)!, dir, children);
    return { pids: children.map(child => child.pid!), paths, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const version = () => ({ program: find('mapserv'), args: ['-v'] });

export const mapserver: Peer = { name: 'MapServer', missing, version, start };
