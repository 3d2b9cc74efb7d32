/** An image: drafted, tested by a technician, published, deprecated, withdrawn. Only a published one can be ordered. */
import type { imageEvents } from '@bivouac/events/containers';
import {
  ImageDeprecated,
  ImageDrafted,
  ImagePublished,
  type ImageService,
  ImageTested,
  ImageWithdrawn,
} from '@bivouac/events/containers';
import { accept, type Decision, type EventOf, is, refuse } from '@bivouac/events/language';
import type { ImageFacts } from '@bivouac/events/operations';

export interface ImageState {
  readonly status: 'none' | 'drafted' | 'tested' | 'published' | 'deprecated' | 'withdrawn';
  /** Whether every check of the last test passed. */
  readonly passed: boolean;
  readonly facts: Omit<ImageFacts, 'at'> | undefined;
}

export const noImage: ImageState = { status: 'none', passed: false, facts: undefined };

export function evolveImage(
  state: ImageState,
  event: EventOf<(typeof imageEvents)[number]>,
): ImageState {
  if (is(event, ImageDrafted)) {
    const { imageId, name, digest, source, inventory } = event.data;
    return {
      status: 'drafted',
      passed: false,
      facts: { imageId, name, digest, source, inventory },
    };
  }
  if (is(event, ImageTested)) {
    return { ...state, status: 'tested', passed: event.data.checks.every((check) => check.passed) };
  }
  if (is(event, ImageDeprecated)) return { ...state, status: 'deprecated' };
  if (is(event, ImageWithdrawn)) return { ...state, status: 'withdrawn' };
  return { ...state, status: 'published' };
}

export function draftImage(
  state: ImageState,
  input: {
    readonly imageId: string;
    readonly name: string;
    readonly digest: string;
    readonly source: string;
    readonly inventory: string;
    readonly services: readonly ImageService[];
    /** Whether the blob store has the inventory. */
    readonly inventoryStored: boolean;
  },
): Decision {
  if (state.status !== 'none') return accept();
  const { inventoryStored, services, ...facts } = input;
  if (!inventoryStored) {
    return refuse(
      'IMAGE_INVENTORY_MISSING',
      `There is no RPM inventory ${input.inventory} in the blob store; put it there first.`,
      { path: ['input', 'inventory'] },
    );
  }
  return accept(ImageDrafted({ ...facts, services: [...services] }));
}

export function testImage(
  state: ImageState,
  input: {
    readonly imageId: string;
    readonly technician: string;
    readonly checks: readonly { readonly name: string; readonly passed: boolean }[];
  },
): Decision {
  if (state.status === 'none') return unknownImage(input.imageId);
  if (state.status === 'withdrawn') return withdrawnImage();
  if (state.status === 'published' || state.status === 'deprecated') {
    return refuse(
      'IMAGE_ALREADY_PUBLISHED',
      'The image is published and does not change any more; draft a new one.',
    );
  }
  return accept(ImageTested({ ...input, checks: [...input.checks] }));
}

export function publishImage(state: ImageState, input: { readonly imageId: string }): Decision {
  switch (state.status) {
    case 'none':
      return unknownImage(input.imageId);
    case 'published':
      return accept();
    case 'deprecated':
      return deprecatedImage();
    case 'withdrawn':
      return withdrawnImage();
    case 'drafted':
      return refuse('IMAGE_NOT_TESTED', 'Nobody has tested the image; test it, then publish it.');
    case 'tested':
      return state.passed
        ? accept(ImagePublished({ imageId: input.imageId }))
        : refuse(
            'IMAGE_TEST_FAILED',
            'A check of the last test failed; mend the image and test it again, then publish it.',
          );
  }
}

/** No new orders. Refused: IMAGE_UNKNOWN, IMAGE_NOT_PUBLISHED, IMAGE_WITHDRAWN. */
export function deprecateImage(
  state: ImageState,
  input: { readonly imageId: string; readonly reason: string },
): Decision {
  switch (state.status) {
    case 'none':
      return unknownImage(input.imageId);
    case 'deprecated':
      return accept();
    case 'withdrawn':
      return withdrawnImage();
    case 'published':
      return accept(ImageDeprecated(input));
    default:
      return refuse(
        'IMAGE_NOT_PUBLISHED',
        'The image was never published, so nobody orders it; withdraw it instead.',
      );
  }
}

/** Never again, whatever it was. Refused: IMAGE_UNKNOWN. */
export function withdrawImage(
  state: ImageState,
  input: { readonly imageId: string; readonly reason: string },
): Decision {
  if (state.status === 'none') return unknownImage(input.imageId);
  return state.status === 'withdrawn' ? accept() : accept(ImageWithdrawn(input));
}

/** What an order may build from, or why it may not. */
export function orderable(
  state: ImageState,
  imageId: string,
): NonNullable<ImageState['facts']> | ReturnType<typeof refuse> {
  if (state.facts === undefined) return unknownImage(imageId);
  if (state.status === 'published') return state.facts;
  if (state.status === 'deprecated') return deprecatedImage();
  if (state.status === 'withdrawn') return withdrawnImage();
  return refuse(
    'IMAGE_NOT_PUBLISHED',
    `The image ${state.facts.name} is not published; choose a published one.`,
    { path: ['input', 'imageId'] },
  );
}

function unknownImage(imageId: string): ReturnType<typeof refuse> {
  return refuse(
    'IMAGE_UNKNOWN',
    `There is no image ${imageId}; choose one of the images offered.`,
    {
      path: ['input', 'imageId'],
    },
  );
}

function deprecatedImage(): ReturnType<typeof refuse> {
  return refuse(
    'IMAGE_DEPRECATED',
    'The image is deprecated and takes no new orders; choose one of the images offered.',
    { path: ['input', 'imageId'] },
  );
}

function withdrawnImage(): ReturnType<typeof refuse> {
  return refuse(
    'IMAGE_WITHDRAWN',
    'The image was withdrawn and is never used again; choose one of the images offered.',
    { path: ['input', 'imageId'] },
  );
}
