/**
 * The setting that says which version of an event is written: entries `<type>=<version>`, separated
 * by commas. Raised by hand, once every replica runs a release that reads the version.
 */
import { z } from 'zod';

const ENTRY = /^([a-z]+\.[A-Z][A-Za-z0-9]+)\s*=\s*([1-9]\d{0,3})$/;

/** The text of the setting as versions by type; every entry that cannot be read is an issue. */
export const EventVersionsSchema = z
  .string()
  .transform((text, context): ReadonlyMap<string, number> => {
    const versions = new Map<string, number>();
    for (const entry of text.split(',').map((part) => part.trim())) {
      if (entry === '') continue;
      const [, type, version] = ENTRY.exec(entry) ?? [];
      if (type === undefined) {
        context.addIssue(
          `expected entries like billing.SetupCharged=2, not ${JSON.stringify(entry)}`,
        );
      } else if (versions.has(type)) {
        context.addIssue(`${type} is there twice; say once which version is written`);
      } else {
        versions.set(type, Number(version));
      }
    }
    return versions;
  });
