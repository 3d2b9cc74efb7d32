/** Events of an image's stream, `image-<img id>`: drafted, tested by a technician, published. */
import { z } from 'zod';

import { customer, event, staff } from '../language/index.ts';
import { idOf } from '../values/index.ts';

const imageId = customer(idOf('image'));

/** What a container made from an image offers, with the ports it answers on. */
export const ImageServiceSchema = z.strictObject({
  service: z.enum(['web', 'mail', 'ftp', 'ssh', 'cron']),
  /** Empty for what listens nowhere, e.g. cron. */
  ports: z.array(z.number().int().min(1).max(65_535)).max(16),
});
export type ImageService = z.output<typeof ImageServiceSchema>;

/** Where nodes get the content: `builtin:skel`, or a file on the node. */
export const ImageSourceSchema = z
  .string()
  .max(500)
  .regex(/^(builtin:skel|file:\/\/\/[^\s\0]+)$/, {
    error: 'expected builtin:skel or a file URL like file:///var/lib/images/skel.tar.gz',
  });

export const DigestSchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/, { error: 'expected a SHA-256 as 64 lower-case hex digits' });

/** A lasting pseudonym of a person on the staff: no names in events. */
export const TechnicianSchema = z.string().regex(/^(per|mem|key)_[0-7][0-9a-hjkmnp-tv-z]{25}$/, {
  error: "expected the technician's id, e.g. mem_01h455vb4pex5vsknk084sn02q",
});

/** One thing that was tried on a container made from the image. */
export const ImageCheckSchema = z.strictObject({
  name: z.string().trim().min(1).max(120),
  passed: z.boolean(),
});

export const ImageDrafted = event(
  'containers.ImageDrafted',
  z.strictObject({
    imageId,
    name: customer(z.string().min(1).max(80)),
    digest: customer(DigestSchema),
    source: staff(ImageSourceSchema),
    /** Hex SHA-256 of the blob with its RPM inventory. */
    inventory: customer(DigestSchema),
    services: customer(z.array(ImageServiceSchema).max(16)),
  }),
);

/** A technician tried it. The last test counts; it passed if every check did. */
export const ImageTested = event(
  'containers.ImageTested',
  z.strictObject({
    imageId,
    technician: staff(TechnicianSchema),
    checks: customer(z.array(ImageCheckSchema).min(1).max(100)),
  }),
);

/** It can be ordered from now on. */
export const ImagePublished = event('containers.ImagePublished', z.strictObject({ imageId }));

const reason = customer(z.string().min(1).max(500));

/** There is a better one: no new orders; what was made from it stays as it is. */
export const ImageDeprecated = event(
  'containers.ImageDeprecated',
  z.strictObject({ imageId, reason }),
);

/** It must not be used: never ordered again, published or not. */
export const ImageWithdrawn = event(
  'containers.ImageWithdrawn',
  z.strictObject({ imageId, reason }),
);

export const imageEvents = [
  ImageDrafted,
  ImageTested,
  ImagePublished,
  ImageDeprecated,
  ImageWithdrawn,
] as const;
