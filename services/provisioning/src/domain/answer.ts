/**
 * The stream that holds the one answer to an ask. Revision 0 decides the race between an owner and
 * the deadline: whoever appends it first is right, and an owner whose `done` loses undoes it.
 */
import { accept, type Decision, type EventOf } from '@bivouac/events/language';
import { AskAnswered, type AskName, type AskRef } from '@bivouac/events/operations';

export interface AnswerState {
  readonly answered: boolean;
}

export function evolveAnswer(
  _state: AnswerState,
  _event: EventOf<typeof AskAnswered>,
): AnswerState {
  return { answered: true };
}

export function timeOut(
  state: AnswerState,
  input: { readonly ref: AskRef; readonly ask: AskName },
): Decision {
  return state.answered
    ? accept()
    : accept(AskAnswered({ ref: input.ref, ask: input.ask, outcome: 'timed-out' }));
}
