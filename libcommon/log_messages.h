/* The ids by which the journal's catalog (units/assist.catalog) explains a message to an operator, for log_write. A message has one
 * where the reader needs to know what it means, or what to do. */
#pragma once

#define LOG_SERVICE_READY "3305011ad82041da8a805fe3929d01c8"
#define LOG_SETTINGS_REFUSED "9340dfb558c64268a64defffe85b524f"
#define LOG_SECRET_REFUSED "d742b033ddd349caa8493a6faf1b658a"
#define LOG_WRONG_USER "9e3c639fc4a945d3a5e51205bae816a0"
#define LOG_STOPPED_EARLY "f85525c3e3284750b9f9d9f78b861036"
#define LOG_CALLER_REFUSED "5fedd91798574e91b176cd1e28a647db"
#define LOG_LISTENER_REFUSED "4640eaa2c4634e3cb29fbfa7a099bc2d"
#define LOG_DATABASE_NEWER "7e073e975d9b44caba20a93e40b7a92b"
#define LOG_DATABASE_FAILED "ee52c314c0794e5f8076c15239fb9d31"
#define LOG_DATABASE_DAMAGED "79004d7d16cb48b4a1aa749c9870f138"
#define LOG_MAIL_PUT_OFF "38a5cc6f3be54dbab0a1f6a3a70d58f2"
#define LOG_MAIL_REFUSED "c2b4e7da7f8f4cb295d7a8b1b43c09e6"
#define LOG_OVERLAY_KEY_REFUSED "fb34085543a44ce08139222c2e8f54fc"
#define LOG_OVERLAY_KEY_LOST "1f0a01eba44a4932884ddcc4ad2bfe91"
