// its effect: without it the client cannot sign for a service that has no region
import "@aws-sdk/signature-v4a";
import { CloudFrontKeyValueStoreClient, type CloudFrontKeyValueStoreClientConfig } from "@aws-sdk/client-cloudfront-keyvaluestore";

type Providers = Pick<CloudFrontKeyValueStoreClient["config"], "endpointProvider" | "httpAuthSchemeProvider">;

/**
 * A client of the data in CloudFront's key-value stores. An endpoint that it is given is asked as it is: the SDK would put the
 * account's id before its host, as before AWS's own, and `000000000000.127.0.0.1` is no host at all.
 */
export const keyValueStore = (config: CloudFrontKeyValueStoreClientConfig): CloudFrontKeyValueStoreClient => {
  const client = new CloudFrontKeyValueStoreClient(config);
  const { endpointProvider, httpAuthSchemeProvider } = client.config;
  const asItIs: Providers = {
    endpointProvider: ({ Endpoint, ...others }, context) => {
      const found = endpointProvider(others, context);
      return Endpoint === undefined ? found : { ...found, url: new URL(Endpoint) };
    },
    // it looks for the endpoint by itself, to learn how requests to it are signed
    httpAuthSchemeProvider: ({ Endpoint: _, ...others }) => httpAuthSchemeProvider(others),
  };
  Object.assign(client.config, asItIs);
  return client;
};
