/** A coordinate reference system as the rooms see it: an id that resolves again, and a definition proj4 can run without a grid. */
export interface Crs {
  /** 'EPSG:25832', 'OGC:CRS84', or 'PROJ:+proj=…' where no authority names it. Resolves to the same CRS again. */
  readonly id: string;
  /** A PROJ string, x = east or longitude first, never with a grid. */
  readonly proj: string;
  readonly geographic: boolean;
  /** Metres in one unit of a projected CRS; metres in one degree along the equator for a geographic one. */
  readonly metresPerUnit: number;
  readonly title?: string;
  /** What an operator should know, above all the stated accuracy of a datum shift that PROJ would do with a grid. */
  readonly note?: string;
}
