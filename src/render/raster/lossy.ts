/** Pictures as WebP or JPEG: WebP by our own encoder where it can, all else by libvips. */
import sharp from 'sharp';
import { dropAlpha } from '../../kernels/colour.ts';
import { encodeWebp, type WebpPicture, webpSteps } from '../../kernels/webp.ts';
import { freeArray } from '../../memory/segments.ts';

/** Of libwebp. Measured in libs.md: effort 0 takes a quarter of the default's time for a fifth more bytes. */
const WEBP_EFFORT = 0;

/** 1, 2, 3 or 4 channels; JPEG drops alpha. Quality is 1 … 100. */
export async function encodeLossy(picture: WebpPicture, format: 'webp' | 'jpg', quality: number): Promise<Uint8Array> {
  const { width, height, channels, pixels } = picture;
  const steps = format === 'webp' ? webpSteps(quality) : null;
  const own = steps === null ? null : encodeWebp(picture, steps);
  if (own !== null) return own;
  const flat = format === 'jpg' && (channels === 2 || channels === 4);
  const raw = flat ? dropAlpha(pixels, channels) : pixels;
  const image = sharp(raw, { raw: { width, height, channels: (flat ? channels - 1 : channels) as 1 | 2 | 3 | 4 } });
  const made = await (format === 'webp'
    ? image.webp({ quality, effort: WEBP_EFFORT })
    : image.jpeg({ quality })
  ).toBuffer();
  // The body is handed to another thread, so it must own its memory.
  const body = new Uint8Array(made);
  freeArray(made);
  return body;
}
