/* Forward declarations of the structs of state/. */
#ifndef FW_STATE_TYPES_H
#define FW_STATE_TYPES_H

typedef struct fw_core fw_core_t;
typedef struct fw_transport fw_transport_t;
typedef struct fw_producer fw_producer_t;
typedef struct fw_consumer fw_consumer_t;
typedef struct fw_ice_ask fw_ice_ask_t;
typedef struct fw_peer_credentials fw_peer_credentials_t;

#endif
