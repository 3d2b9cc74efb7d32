import { describe, expect, test } from '@jest/globals';

import { image } from '../commands/aggregates.ts';
import { id, Stream } from '../given.ts';
import {
  deprecateImage,
  draftImage,
  orderable,
  publishImage,
  testImage,
  withdrawImage,
} from './image.ts';

const imageId = id('image');
const draft = {
  ...{ imageId, name: 'skel', digest: 'a'.repeat(64), source: 'builtin:skel' },
  ...{ inventory: 'b'.repeat(64), services: [], inventoryStored: true },
};
const tested = (passed: boolean) => ({
  imageId,
  technician: id('member'),
  checks: [
    { name: 'boots', passed: true },
    { name: 'answers on port 80', passed },
  ],
});

function drafted(): Stream<Parameters<typeof draftImage>[0]> {
  const stream = new Stream(image);
  expect(stream.when((state) => draftImage(state, draft))).toEqual(['ImageDrafted']);
  return stream;
}

describe('an image', () => {
  test('needs its inventory stored before it is drafted', () => {
    const stream = new Stream(image);
    const missing = { ...draft, inventoryStored: false };
    expect(stream.when((state) => draftImage(state, missing))).toBe('IMAGE_INVENTORY_MISSING');
    expect(stream.when((state) => draftImage(state, draft))).toEqual(['ImageDrafted']);
    expect(stream.when((state) => draftImage(state, draft))).toEqual([]);
  });

  test('is published only after a test that passed whole', () => {
    const stream = drafted();
    expect(stream.when((state) => publishImage(state, { imageId }))).toBe('IMAGE_NOT_TESTED');
    stream.when((state) => testImage(state, tested(false)));
    expect(stream.when((state) => publishImage(state, { imageId }))).toBe('IMAGE_TEST_FAILED');
    expect(stream.when((state) => testImage(state, tested(true)))).toEqual(['ImageTested']);
    expect(stream.when((state) => publishImage(state, { imageId }))).toEqual(['ImagePublished']);
    expect(stream.when((state) => publishImage(state, { imageId }))).toEqual([]);
  });

  test('does not change once published', () => {
    const stream = drafted();
    stream.when((state) => testImage(state, tested(true)));
    stream.when((state) => publishImage(state, { imageId }));
    expect(stream.when((state) => testImage(state, tested(false)))).toBe('IMAGE_ALREADY_PUBLISHED');
  });

  test('can be ordered only while it is published', () => {
    const code = (stream: Stream<Parameters<typeof draftImage>[0]>): string | undefined => {
      const answer = orderable(stream.state, imageId);
      return 'refusal' in answer ? answer.refusal.code : answer.digest;
    };
    const stream = new Stream(image);
    expect(code(stream)).toBe('IMAGE_UNKNOWN');
    stream.when((state) => draftImage(state, draft));
    expect(code(stream)).toBe('IMAGE_NOT_PUBLISHED');
    stream.when((state) => testImage(state, tested(true)));
    expect(code(stream)).toBe('IMAGE_NOT_PUBLISHED');
    stream.when((state) => publishImage(state, { imageId }));
    expect(code(stream)).toBe(draft.digest);
  });

  test('that nobody drafted is neither tested nor published', () => {
    const stream = new Stream(image);
    expect(stream.when((state) => testImage(state, tested(true)))).toBe('IMAGE_UNKNOWN');
    expect(stream.when((state) => publishImage(state, { imageId }))).toBe('IMAGE_UNKNOWN');
  });
});

describe('an image that is not offered any more', () => {
  const why = { imageId, reason: 'there is a better one' };
  const published = () => {
    const stream = drafted();
    stream.when((state) => testImage(state, tested(true)));
    stream.when((state) => publishImage(state, { imageId }));
    return stream;
  };

  test('is deprecated once it was published, and takes no orders', () => {
    const stream = drafted();
    expect(stream.when((state) => deprecateImage(state, why))).toBe('IMAGE_NOT_PUBLISHED');
    const offered = published();
    expect(offered.when((state) => deprecateImage(state, why))).toEqual(['ImageDeprecated']);
    expect(offered.when((state) => deprecateImage(state, why))).toEqual([]);
    expect(orderable(offered.state, imageId)).toMatchObject({
      refusal: { code: 'IMAGE_DEPRECATED' },
    });
    expect(offered.when((state) => publishImage(state, { imageId }))).toBe('IMAGE_DEPRECATED');
    expect(offered.when((state) => testImage(state, tested(true)))).toBe('IMAGE_ALREADY_PUBLISHED');
  });

  test('is withdrawn for ever, whatever it was', () => {
    for (const stream of [drafted(), published()]) {
      expect(stream.when((state) => withdrawImage(state, why))).toEqual(['ImageWithdrawn']);
      expect(stream.when((state) => withdrawImage(state, why))).toEqual([]);
      for (const decide of [deprecateImage, publishImage] as const) {
        expect(stream.when((state) => decide(state, why))).toBe('IMAGE_WITHDRAWN');
      }
      expect(stream.when((state) => testImage(state, tested(true)))).toBe('IMAGE_WITHDRAWN');
      expect(orderable(stream.state, imageId)).toMatchObject({
        refusal: { code: 'IMAGE_WITHDRAWN' },
      });
    }
    const none = new Stream(image);
    expect(none.when((state) => withdrawImage(state, why))).toBe('IMAGE_UNKNOWN');
    expect(none.when((state) => deprecateImage(state, why))).toBe('IMAGE_UNKNOWN');
  });
});
