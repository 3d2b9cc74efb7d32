/**
 * A channel carries JSON values both ways over one connection that either end may lose at any
 * moment. It promises order while it stands, bounded messages, and that a silent peer is noticed.
 */

export interface Channel {
  /**
   * Queues a value; resolves when it has left for the network, or never will. Waiting for it is the
   * back-pressure: what is queued beyond a bound closes the channel.
   */
  send(value: unknown): Promise<void>;
  /** Takes no more from the peer until {@link resume}: the network slows it down. */
  pause(): void;
  resume(): void;
  /** Sends what is queued and ends; `closed` is called. Safe to call twice. */
  close(): void;
}

export interface ChannelHandlers {
  /** A value that the peer sent, unparsed. */
  message(value: unknown): void;
  /** The last call, once, with the reason in words. */
  closed(reason: string): void;
}

/** Bounds of a channel; both ends have the same unless a test says otherwise. */
export interface ChannelLimits {
  /** Largest message, in bytes. */
  readonly messageBytes: number;
  /** Most that may be queued and not have left. */
  readonly queuedBytes: number;
  /** How often the peer is asked whether it is there, in milliseconds. */
  readonly heartbeatMilliseconds: number;
  /** Silent for so long it is taken for gone, in milliseconds. */
  readonly silenceMilliseconds: number;
}

export const channelLimits: ChannelLimits = {
  messageBytes: 4 * 1024 * 1024,
  queuedBytes: 16 * 1024 * 1024,
  heartbeatMilliseconds: 15_000,
  silenceMilliseconds: 45_000,
};
