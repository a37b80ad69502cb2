// Filter requestId: tells the client the id under which the request stands in logs and traces.
import { Type, type Static } from '../schema/type.ts';
import { removeField } from '../message/fields.ts';
import type { FilterDefinition } from './filter.ts';

const schema = Type.Object(
  {
    header: Type.String({
      default: 'x-request-id',
      pattern: "^[!#$%&'*+.^_`|~0-9a-z-]+$",
      description: 'Name of the response field, lower case. Upstream the id always travels as x-request-id',
    }),
  },
  { additionalProperties: false, description: 'Options of requestId' },
);

export const requestId: FilterDefinition = {
  name: 'requestId',
  summary: 'Adds the request id to the response.',
  schema,
  example: '{ header: x-correlation-id }',
  create(options) {
    const { header } = options as Static<typeof schema>;
    return {
      onResponse(request, response) {
        removeField(response.fields, header);
        response.fields.push(header, request.requestId);
      },
    };
  },
};
