/** GDAL_METADATA: a flat list of <Item>. No entities but XML's own five, no DTD, no nesting. */
import type { Findings } from './reasons.ts';

export interface MetadataItem {
  readonly name: string;
  /** 0-based band; null for the whole file. */
  readonly sample: number | null;
  readonly role: string | null;
  readonly text: string;
}

const ITEMS_MAX = 8192;
const ITEM = /<Item\b([^>]*?)(?:\/>|>([^<]*)<\/Item\s*>)/g;
const ATTRIBUTE = /([A-Za-z_:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

export function metadataItems(xml: string | undefined, findings: Findings): MetadataItem[] {
  if (!xml) return [];
  if (/<!(DOCTYPE|ENTITY)/i.test(xml)) {
    findings.note('tiff-metadata-ignored', 'GDAL_METADATA with a document type declaration is not read');
    return [];
  }
  if (!/<\/GDALMetadata\s*>|<GDALMetadata\s*\/>/.test(xml)) {
    findings.note('tiff-metadata-ignored', 'GDAL_METADATA breaks off: it has no end');
    return [];
  }
  const items: MetadataItem[] = [];
  for (const match of xml.matchAll(ITEM)) {
    if (items.length === ITEMS_MAX) break;
    const attributes = new Map([...match[1].matchAll(ATTRIBUTE)].map(m => [m[1], unescapeXml(m[2] ?? m[3] ?? '')]));
    const name = attributes.get('name');
    const sample = attributes.get('sample');
    // Other domains (STATISTICS, IMAGE_STRUCTURE, xml:…) are not the file's own metadata.
    if (!name || attributes.has('domain')) continue;
    items.push({
      name,
      sample: sample !== undefined && /^\d+$/.test(sample) ? Number(sample) : null,
      role: attributes.get('role') ?? null,
      // GDAL escapes values twice when it writes them.
      text: unescapeXml(unescapeXml(match[2] ?? '')),
    });
  }
  return items;
}

function unescapeXml(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-fA-F]+)|([a-z]+));/g, (whole, decimal, hex, name) => {
    if (name) return ENTITIES[name] ?? whole;
    const code = decimal ? Number.parseInt(decimal, 10) : Number.parseInt(hex, 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
