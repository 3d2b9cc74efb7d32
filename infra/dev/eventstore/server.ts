/**
 * An event store of ours served over EventStoreDB's protocol, so that several processes can share
 * one where no EventStoreDB is installed: for development and tests. It is made from the server's
 * stubs that the client ships. What it does not do is refused by name; see docs/event-store.md.
 */
import { setMaxListeners } from 'node:events';
import { type sendUnaryData, Server, ServerCredentials } from '@grpc/grpc-js';
import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import featuresService from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import gossipService from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { EventStore } from '../../event-store/port.ts';
import { serveAppend, serveBatchAppend } from './appends.ts';
import type { Faults } from './faults.ts';
import { serveRead } from './reads.ts';
import { serveDelete, serveTombstone } from './deletes.ts';
import type { Seat } from './seat.ts';
import type { Served } from './served.ts';
import { StreamStates } from './stream-states.ts';

export interface ServeOptions {
  /** Whose positions are without gaps: memory or embedded. It stays the caller's to close. */
  readonly store: EventStore;
  readonly host?: string;
  /** 0 or absent: any free one. */
  readonly port?: number;
  /** What it shall do wrong. */
  readonly faults?: Faults;
  /**
   * Bytes of the log that one event is said to take. Absent: 1, so that positions are the store's own;
   * a real log's have gaps, and none of its events stands between two.
   */
  readonly stride?: number;
  /**
   * The server's own events (`$…`) have a commit position other than their prepare position, as those of
   * old logs have that were written in transactions. Takes a stride.
   */
  readonly apart?: boolean;
  /** Where it is one of several. Absent: a cluster of one, which leads. */
  readonly seat?: Seat;
}

/** A server that runs. */
export interface ServedEventStore {
  /** `esdb://host:port?tls=false` */
  readonly url: string;
  /** Ends every call. */
  close(): Promise<void>;
}

/** Starts it; resolves when it takes calls. */
export async function serveEventStore(options: ServeOptions): Promise<ServedEventStore> {
  const host = options.host ?? '127.0.0.1';
  const ending = new AbortController();
  // Every call under way listens.
  setMaxListeners(0, ending.signal);
  const served: Served = {
    store: options.store,
    states: new StreamStates(options.store),
    faults: options.faults ?? (() => undefined),
    stride: BigInt(options.stride ?? 1),
    apart: options.apart ?? false,
    leadership: options.seat?.leadership,
    unreplicated: new Set(),
    ended: ending.signal,
  };
  const server = new Server({ 'grpc.max_receive_message_length': 17 * 1024 * 1024 });
  server.addService(streamsService.StreamsService, {
    read: (call: Parameters<typeof serveRead>[1]) => serveRead(served, call),
    append: (call: Parameters<typeof serveAppend>[2], answer: Parameters<typeof serveAppend>[1]) =>
      serveAppend(served, answer, call),
    batchAppend: (call: Parameters<typeof serveBatchAppend>[1]) => serveBatchAppend(served, call),
    delete: (call: Parameters<typeof serveDelete>[1], answer: Parameters<typeof serveDelete>[2]) =>
      serveDelete(served, call, answer),
    tombstone: (
      call: Parameters<typeof serveTombstone>[1],
      answer: Parameters<typeof serveTombstone>[2],
    ) => serveTombstone(served, call, answer),
  });
  let port = 0;
  server.addService(featuresService.ServerFeaturesService, {
    getSupportedMethods: (_: unknown, answer: sendUnaryData<object>) => {
      answer(null, supportedMethods());
    },
  });
  server.addService(gossipService.GossipService, {
    read: (_: unknown, answer: sendUnaryData<object>) => {
      const members = options.seat?.members() ?? [{ host, port, leads: true, alive: true }];
      answer(null, clusterInfo(members));
    },
  });
  port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(
      `${host}:${options.port ?? 0}`,
      ServerCredentials.createInsecure(),
      (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      },
    );
  });
  return {
    url: `esdb://${host}:${port}?tls=false`,
    close: () => {
      ending.abort();
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}

function supportedMethods(): object {
  const answer = new features.SupportedMethods();
  answer.setEventStoreServerVersion('0.0.0-development');
  answer.setMethodsList(
    ['read', 'append', 'batchappend'].map((name) => {
      const method = new features.SupportedMethod();
      method.setServiceName('event_store.client.streams.Streams');
      method.setMethodName(name);
      method.setFeaturesList(name === 'read' ? ['position', 'events'] : []);
      return method;
    }),
  );
  return answer;
}

function clusterInfo(members: ReturnType<Seat['members']>): object {
  const answer = new gossip.ClusterInfo();
  answer.setMembersList(
    members.map(({ host, port, leads, alive }) => {
      const endPoint = new gossip.EndPoint();
      endPoint.setAddress(host);
      endPoint.setPort(port);
      const id = new shared.UUID();
      id.setString(`00000000-0000-4000-8000-${String(port).padStart(12, '0')}`);
      const member = new gossip.MemberInfo();
      member.setInstanceId(id);
      member.setTimeStamp(String(Date.now() * 10_000));
      const { LEADER, FOLLOWER } = gossip.MemberInfo.VNodeState;
      member.setState(leads ? LEADER : FOLLOWER);
      member.setIsAlive(alive);
      member.setHttpEndPoint(endPoint);
      return member;
    }),
  );
  return answer;
}
