// A device for Silver Watch on an ESP32: pairs once, measures, keeps what it cannot send, sends it again.
// Arduino core for ESP32 2.0 or newer; no other library. Fill in the five lines below and replace measure().

#include <HTTPClient.h>
#include <Preferences.h>
#include <WiFi.h>
#include <WiFiClientSecure.h>
#include <time.h>

const char* NETWORK = "NETWORK";
const char* PASSWORD = "PASSWORD";
const char* SERVER = "https://ward.hospital.example";
const char* SERIAL_NUMBER = "SW-2001";
const char* CODE = "7K4-2QX";  // of the pairing page; used only while there is no key
const char* CA = R"(-----BEGIN CERTIFICATE-----
the certificate that signed the server's
-----END CERTIFICATE-----)";

const char* FIRMWARE = "esp32-1.0";
const size_t KEPT = 1800;  // readings that wait at most: two hours at one in four seconds; then the oldest go
const size_t BATCH = 50;

struct Reading {
  int64_t at_ms;         // when it was measured: stamped once, the same in every post, so that the server knows it again
  int16_t heart_rate;    // -1: the sensor gave nothing
  int16_t saturation;
};

Reading kept[KEPT];
size_t first = 0, count = 0;
Preferences memory;
String key;
uint32_t interval_ms = 4000, due_ms = 0, not_before_ms = 0, wait_ms = 1000;

// What your sensors say now. A sensor that gave nothing is -1; nothing is ever invented.
Reading measure() {
  Reading reading = {};
  reading.heart_rate = 72;
  reading.saturation = 97;
  return reading;
}

int64_t now_ms() {
  struct timeval now;
  gettimeofday(&now, nullptr);
  return int64_t(now.tv_sec) * 1000 + now.tv_usec / 1000;
}

String rfc3339(int64_t at_ms) {
  time_t seconds = at_ms / 1000;
  char text[32], whole[40];
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", gmtime(&seconds));
  snprintf(whole, sizeof whole, "%s.%03dZ", text, int(at_ms % 1000));
  return String(whole);
}

// The status, or a negative number if the server cannot be reached. `retry_s` is -1 where the server names no time.
int post(const char* path, const String& body, String& answer, int& retry_s) {
  WiFiClientSecure secure;
  WiFiClient plain;
  HTTPClient http;
  const char* headers[] = {"Retry-After"};
  bool is_secure = strncmp(SERVER, "https:", 6) == 0;
  if (is_secure) secure.setCACert(CA);
  if (!(is_secure ? http.begin(secure, String(SERVER) + path) : http.begin(plain, String(SERVER) + path))) return -1;
  http.collectHeaders(headers, 1);
  http.setTimeout(10000);
  http.addHeader("Content-Type", "application/json");
  if (key.length()) http.addHeader("Authorization", "Bearer " + key);
  int status = http.POST(body);
  answer = status > 0 ? http.getString() : String();
  retry_s = http.header("Retry-After").length() ? http.header("Retry-After").toInt() : -1;
  http.end();
  return status;
}

// The text or number that follows "name": in a flat answer; empty if there is none.
String field(const String& answer, const char* name) {
  int from = answer.indexOf(String("\"") + name + "\":");
  if (from < 0) return String();
  from += strlen(name) + 3;
  bool is_text = answer[from] == '"';
  if (is_text) from++;
  int to = from;
  while (to < int(answer.length()) && answer[to] != (is_text ? '"' : ',') && answer[to] != '}') to++;
  return answer.substring(from, to);
}

void pair() {
  String answer;
  int retry_s;
  String body = String("{\"code\": \"") + CODE + "\", \"serial\": \"" + SERIAL_NUMBER + "\"}";
  int status = post("/api/devices/claim/", body, answer, retry_s);
  if (status != 201) {
    Serial.printf("not paired (%d): %s\n", status, field(answer, "detail").c_str());
    delay(retry_s > 0 ? retry_s * 1000UL : 15000);
    return;
  }
  key = field(answer, "key");
  memory.putString("key", key);
  memory.putFloat("interval_s", field(answer, "interval_s").toFloat());
  interval_ms = memory.getFloat("interval_s", 4) * 1000;
  Serial.println("paired");
}

void keep(Reading reading) {
  reading.at_ms = now_ms();
  if (count == KEPT) {
    first = (first + 1) % KEPT;
    count--;
  }
  kept[(first + count) % KEPT] = reading;
  count++;
}

String item(const Reading& reading) {
  String text = "{\"measured_at\": \"" + rfc3339(reading.at_ms) + "\"";
  if (reading.heart_rate >= 0) text += String(", \"heart_rate\": ") + reading.heart_rate;
  if (reading.saturation >= 0) text += String(", \"oxygen_saturation\": ") + reading.saturation;
  return text + "}";
}

void send() {
  size_t sent = count < BATCH ? count : BATCH;
  String body = "{\"sent_at\": \"" + rfc3339(now_ms()) + "\", \"firmware\": \"" + FIRMWARE +
                "\", \"signal_dbm\": " + String(WiFi.RSSI()) + ", \"readings\": [";
  for (size_t i = 0; i < sent; i++) body += (i ? ", " : "") + item(kept[(first + i) % KEPT]);
  body += "]}";
  String answer;
  int retry_s = -1;
  int status = post("/api/readings/", body, answer, retry_s);
  if (status == 200 || status == 422) {  // each was answered for, and what was refused is kept by the server
    first = (first + sent) % KEPT;
    count -= sent;
    wait_ms = 1000;
    return;
  }
  if (status == 401) {  // revoked: only a person can help, with a new CODE
    memory.remove("key");
    key = String();
  }
  Serial.printf("the server answers %d, %u waiting\n", status, unsigned(count));
  not_before_ms = millis() + (retry_s > 0 ? retry_s * 1000UL : wait_ms);
  wait_ms = wait_ms < 32000 ? wait_ms * 2 : 60000;
}

void setup() {
  Serial.begin(115200);
  WiFi.mode(WIFI_STA);
  WiFi.setAutoReconnect(true);
  WiFi.begin(NETWORK, PASSWORD);
  while (WiFi.status() != WL_CONNECTED) delay(200);
  configTime(0, 0, "pool.ntp.org");
  while (time(nullptr) < 1700000000) delay(200);  // a reading without its time is worth nothing
  memory.begin("silverwatch");
  key = memory.getString("key", "");
  interval_ms = memory.getFloat("interval_s", 4) * 1000;
}

void loop() {
  if (key.length() == 0 && WiFi.status() == WL_CONNECTED) pair();
  if (key.length() && int32_t(millis() - due_ms) >= 0) {
    due_ms = millis() + interval_ms;
    Reading reading = measure();
    if (reading.heart_rate >= 0 || reading.saturation >= 0) keep(reading);
  }
  if (key.length() && count && WiFi.status() == WL_CONNECTED && int32_t(millis() - not_before_ms) >= 0) send();
  delay(20);
}
