/** Places along a line, evenly spread by the distance on the ellipsoid of WGS 84. */
import geodesic from 'geographiclib-geodesic';
import { transformer } from '../../crs/index.ts';
import { problem } from '../../errors.ts';

export interface Profile {
  /** x, y pairs in the CRS of the line. */
  readonly coordinates: Float64Array;
  /** Metres from the beginning of the line. */
  readonly distances: Float64Array;
}

type Place = readonly [number, number];

interface Leg {
  /** Metres from the beginning of the line to that of the leg. */
  readonly start: number;
  readonly metres: number;
  /** Degrees, longitude first. */
  at(metres: number): Place;
}

/** The first and the last are the line's own ends. Between its corners the way is the shortest one on the ground. */
export function profileAlong(line: readonly Place[], samples: number, crs: string): Profile {
  const degrees = line.map((place, i) => toDegrees(place, crs, i));
  const legs: Leg[] = [];
  let whole = 0;
  for (let i = 1; i < degrees.length; i++) {
    const leg = legOf(degrees[i - 1], degrees[i], whole);
    legs.push(leg);
    whole += leg.metres;
  }
  const back = transformer('OGC:CRS84', crs);
  const coordinates = new Float64Array(samples * 2);
  const distances = new Float64Array(samples);
  for (let i = 0, l = 0; i < samples; i++) {
    const metres = i === samples - 1 ? whole : (whole * i) / (samples - 1);
    while (l < legs.length - 1 && metres > legs[l].start + legs[l].metres) l++;
    const [lon, lat] = legs[l].at(metres - legs[l].start);
    if (!back.forward(lon, lat, coordinates, i * 2))
      throw problem('unprocessable', `${lon},${lat} has no place in ${crs}`);
    distances[i] = metres;
  }
  coordinates.set(line[0], 0);
  coordinates.set(line[line.length - 1], (samples - 1) * 2);
  return { coordinates, distances };
}

function toDegrees([x, y]: Place, crs: string, index: number): Place {
  const out = new Float64Array(2);
  if (!transformer(crs, 'OGC:CRS84').forward(x, y, out, 0) || Math.abs(out[1]) > 90)
    throw problem('unprocessable', `/coordinates/${index}: ${x},${y} is no place on the Earth in ${crs}`);
  return [out[0], out[1]];
}

function legOf([lon1, lat1]: Place, [lon2, lat2]: Place, start: number): Leg {
  const { Geodesic } = geodesic;
  const line = Geodesic.WGS84.InverseLine(
    lat1,
    lon1,
    lat2,
    lon2,
    Geodesic.STANDARD | Geodesic.DISTANCE_IN | Geodesic.LONG_UNROLL,
  );
  const { s13 } = line;
  return {
    start,
    metres: s13,
    at(metres) {
      const { lon2: lon, lat2: lat } = line.Position(
        metres,
        Geodesic.LATITUDE | Geodesic.LONGITUDE | Geodesic.LONG_UNROLL,
      );
      return [lon as number, lat as number];
    },
  };
}
